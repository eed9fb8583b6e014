#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "findings/filters.h"
#include "findings/search.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::findings {

/// What the index says of OCSF filters: the findings that fit for sure, and all that may fit, which hold those. Of the
/// rest the OCSF document decides.
struct PossibleFindings {
  Bits sure;
  Bits maybe;
  Bits originals = {};  ///< all that came as OCSF documents, whose values the index need not know
};

/// A field of OCSF that can be filtered, sorted or grouped by, and where the finding format has it.
struct OcsfField {
  enum class Kind : std::uint8_t { Text, Number, Date, Boolean, Map, Ip };
  /// How the index of the finding format answers for it. Same: by the values of `asff`. Derived: by those values,
  /// rewritten by `rewrite`. Named: by the numbers and captions of an enumeration. None: the documents have to be read.
  enum class Index : std::uint8_t {
    None,
    Same,
    Derived,
    Severity,
    ProviderSeverity,
    Status,
    Compliance,
    Activity,
    Uid
  };

  std::string_view name;  ///< the path in an OCSF document
  Kind kind;
  Index index = Index::None;
  std::string_view asff = {};                               ///< the filter's name in AwsSecurityFindingFilters
  std::string (*rewrite)(std::string_view asff) = nullptr;  ///< of Derived
  bool kept = false;  ///< what a tool's own OCSF document says of it is what the finding says
};

/// Null where there is none of that name and kind.
const OcsfField* find_ocsf_field(std::string_view name, OcsfField::Kind kind);
const OcsfField* find_ocsf_field(std::string_view name);

/// OcsfFindingFilters, checked and ready to be asked. Immutable.
///
/// Filters within a composite are joined by its Operator, composites by CompositeOperator, both AND where they are left
/// out; nothing is joined by the field, as it is in AwsSecurityFindingFilters. A composite may hold composites, these
/// hold none. https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_OcsfFindingFilters.html
class OcsfFilters {
 public:
  static constexpr std::size_t most_composites = 10;  ///< API_GetFindingsV2: "up to 10 composite filters"
  static constexpr std::size_t most_filters = 20;  ///< "for each filter type inside of a composite, up to 20 filters"

  /// `filters` is the request's member, or null for none. Errors: ValidationException naming the filter.
  static Result<OcsfFilters> compile(const json::Value& filters, TimeMs now_ms);

  /// Whether an OCSF document, as ocsf_of gives it, fits.
  bool matches(const json::Value& ocsf) const;
  /// The same for equal requests, whatever the order of their members: what a page's token is bound to.
  const std::string& asked() const { return asked_; }

  /// The number of the finding that has a metadata.uid.
  using FindUid = std::function<Result<std::optional<std::int64_t>>(std::string_view uid)>;
  Result<PossibleFindings> possible(store::Session& session, Search& search, const FindUid& find_uid) const;

 private:
  struct Leaf {
    const OcsfField* field = nullptr;
    Filters::Test test;
    bool matches(const json::Value& ocsf) const;
  };
  struct Node {
    bool any = false;  // joined by OR
    std::vector<Leaf> leaves;
    std::vector<Node> nodes;
    bool matches(const json::Value& ocsf) const;
  };
  struct Compiler;
  struct Asker;

  Node root_;
  std::string asked_;
};

/// The sort keys of SortCriteria, whose fields are OCSF's, as the index orders by them. Error: ValidationException.
Result<std::vector<SortKey>> ocsf_sort_keys(const json::Value& criteria);

}  // namespace fixpoint::findings
