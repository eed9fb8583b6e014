#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "changes/recipes.h"
#include "json/value.h"
#include "jsonata/template.h"

namespace re2 {
class RE2;
}

namespace fixpoint::controls {

/// A typed parameter with its default and bounds.
struct Parameter {
  std::string name;
  std::string type;  ///< string, integer, number, boolean
  json::Value otherwise;
  std::optional<double> minimum, maximum;
  std::vector<json::Value> choices;
  std::string pattern;                         ///< RE2, on the whole text; empty for none
  std::shared_ptr<const re2::RE2> compiled{};  ///< of `pattern`; null for none
};

/// One call that fetches state, bound to a name.
struct Read {
  std::string name;
  changes::CallTemplate call;
  std::optional<jsonata::Template> take;  ///< of the answer; the whole where there is none
  std::vector<std::string> absent;        ///< error codes that mean that the state is not there: the name is undefined
  std::vector<std::string> gone;          ///< error codes that mean that the resource is no more
};

struct ChangeCall {
  changes::CallTemplate call;
  std::optional<jsonata::Template> when;  ///< left out where this is false
  std::vector<std::string> done;          ///< error codes that mean that the change is there already
};

struct Refusal {
  jsonata::Template when;
  std::string because;
};

/// A scene's step: a call, and in `then` what its answer has to satisfy.
struct SceneCall {
  changes::CallTemplate call;
  std::string keep;                         ///< binds the answer to this name for the steps that follow; may be empty
  std::optional<jsonata::Template> expect;  ///< over the answer
};

/// A declared remediation: a file of `catalog/controls/`, checked and compiled. Immutable.
struct Control {
  std::string id;
  std::string title;
  std::string severity;
  std::vector<std::string> aliases;  ///< what standards and tools call it: "PCI.S3.4",
                                     ///< "cis-aws-foundations-benchmark/1.2.0:4.1", "config:restricted-ssh"
  std::vector<Parameter> parameters;
  std::string resource_type;  ///< as in a finding's Resources: AwsS3Bucket
  jsonata::Template resource_id;
  std::optional<changes::CallTemplate> list;
  std::optional<jsonata::Template> list_each;
  std::vector<Read> reads;
  std::vector<std::pair<std::string, jsonata::Expression>> lets;
  jsonata::Expression compliant;
  std::vector<ChangeCall> changes;
  std::vector<Refusal> refusals;
  std::vector<SceneCall> scene_given;
  std::optional<jsonata::Template> scene_resource;
  std::vector<SceneCall> scene_then;

  /// The calls that it makes, "s3:GetBucketEncryption", sorted, each once: the permissions that it needs.
  std::vector<std::string> calls() const;
};

/// Errors: ValidationException with file and place, a sentence for each fault that a person can make in such a file.
Result<std::shared_ptr<const Control>> read_control(const json::Value& form, const std::string& path);

/// All controls of a catalog, by id and by their names in other standards.
class ControlSet {
 public:
  static Result<ControlSet> load(const catalog::Catalog& catalog);
  /// By id or alias; null where there is none.
  std::shared_ptr<const Control> find(std::string_view name) const;
  std::vector<std::shared_ptr<const Control>> all() const;

 private:
  std::map<std::string, std::shared_ptr<const Control>, std::less<>> by_id_;
  std::map<std::string, std::shared_ptr<const Control>, std::less<>> by_alias_;
};

/// The resource of a finding that the control is about: of its type, else the first; null where there is none.
const json::Value& resource_of(const json::Value& finding, const Control& control);

/// The values of a control's parameters: the defaults, with `given` over them. Error: ValidationException naming the
/// parameter.
Result<json::Value> parameters_of(const Control& control, const json::Value& given);

}  // namespace fixpoint::controls
