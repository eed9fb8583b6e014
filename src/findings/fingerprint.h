#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace fixpoint::findings {

/// What one piece of work is about: a control, and the one resource that it is to mend. Findings of several standards
/// or tools, and a hub's and a member's copies of one, that name the same control and resource have the same.
struct WorkKey {
  std::string control;  ///< the control's own id, whichever alias of it the finding used
  std::string account;  ///< the finding's
  std::string
      region;  ///< of the resource; empty where its ARN has none: a bucket and a user are one, wherever reported
  std::string resource;  ///< its ARN or id

  /// 32 lower-case digits; empty where no resource is named, since such findings have nothing in common.
  std::string fingerprint() const;
};

/// Where the resource of a finding is, and so where calls about it go: what its ARN says; else the resource's Region,
/// the finding's, or `otherwise`. Scanners and hubs report what is in another region under their own.
struct Place {
  std::string account;  ///< the finding's, also where the ARN names another: see `contradicted_account`
  std::string region;
};
Place place_of(const json::Value& finding, const json::Value& resource, std::string_view otherwise);

/// The account that the resource's ARN names where that is another than the finding's; else empty.
std::string contradicted_account(const json::Value& finding, const json::Value& resource);

WorkKey work_of(const json::Value& finding, std::string_view control, const json::Value& resource);

/// A digest of what a finding says: all but its times and what its customer or fixpoint writes on it (note, workflow,
/// user-defined fields, verification state). A resend in which only timestamps moved has the same.
std::string content_digest(const json::Value& finding);

/// The execution whose update of the finding stands there last, as far as the finding itself tells: fixpoint wrote the
/// note (under `author`), and the provider has not come since (UpdatedAt, ProcessedAt), which BatchUpdateFindings
/// leaves alone. Empty where somebody else came after it. What a person changes without a note is not seen.
std::string updated_by_execution(const json::Value& finding, std::string_view author);

}  // namespace fixpoint::findings
