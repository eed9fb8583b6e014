#include "controls/control.h"

#include <algorithm>
#include <re2/re2.h>
#include <set>

#include "base/text.h"
#include "changes/names.h"
#include "findings/asff.h"
#include "json/text.h"
#include "json/yaml.h"

namespace fixpoint::controls {
namespace {

using json::Value;
using jsonata::Template;

/// Reads one control file; every function says the place of a fault.
class Reader {
 public:
  Reader(const Value& form, std::string path) : form_(form), path_(std::move(path)) {}

  Result<std::shared_ptr<const Control>> read() {
    auto control = std::make_shared<Control>();
    FIXPOINT_CHECK(only(form_,
                        {"control", "title", "severity", "standards", "checks", "parameters", "resource", "list",
                         "read", "let", "compliant", "change", "refuse", "scene"},
                        ""));
    FIXPOINT_TRY(id, text(form_, "control", ""));
    control->id = id;
    FIXPOINT_TRY(title, text(form_, "title", ""));
    control->title = title;
    FIXPOINT_TRY(severity, text(form_, "severity", ""));
    control->severity = severity;
    FIXPOINT_CHECK(standards(*control));
    FIXPOINT_CHECK(checks(*control));
    FIXPOINT_CHECK(parameters(*control));
    FIXPOINT_CHECK(resource(*control));
    FIXPOINT_CHECK(reads(*control));
    FIXPOINT_CHECK(lets(*control));
    FIXPOINT_TRY(compliant, expression(form_["compliant"], "compliant"));
    control->compliant = compliant;
    FIXPOINT_CHECK(change(*control));
    FIXPOINT_CHECK(refuse(*control));
    FIXPOINT_CHECK(scene(*control));
    return std::shared_ptr<const Control>(std::move(control));
  }

 private:
  Error bad(const std::string& place, const std::string& message) const {
    return errors::validation(path_ + (place.empty() ? "" : ": " + place) + ": " + message,
                              path_ + (place.empty() ? "" : ":" + place));
  }

  Result<void> only(const Value& form, std::initializer_list<std::string_view> known, const std::string& place) const {
    if (!form.is_object()) return fail(bad(place, "has to be a mapping"));
    for (const auto& member : form.as_object()) {
      if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
      std::string list;
      for (const auto name : known) list += (list.empty() ? "" : ", ") + std::string(name);
      return fail(bad(place, "'" + member.key + "' is not known here; there are " + list));
    }
    return {};
  }

  Result<std::string> text(const Value& form, const std::string& name, const std::string& place) const {
    const std::string here = place.empty() ? name : place + "." + name;
    const Value* value = form.find(name);
    if (value == nullptr) return fail(bad(here, "is missing"));
    if (!value->is_string() || value->as_string().empty()) return fail(bad(here, "has to be text"));
    return value->as_string();
  }

  Result<std::vector<std::string>> names(const Value& list, const std::string& place) const {
    return at(place, changes::read_names(list));
  }
  Result<std::vector<std::string>> codes(const Value& list, const std::string& place) const {
    return at(place, changes::read_error_codes(list));
  }
  Result<std::vector<std::string>> at(const std::string& place, Result<std::vector<std::string>> names) const {
    if (!names) return fail(bad(place, names.error().message));
    return names;
  }

  Result<Template> filled(const Value& form, const std::string& place) const {
    if (form.is_null()) return fail(bad(place, "is missing"));
    auto compiled = Template::compile(form);
    if (!compiled)
      return fail(bad(place, compiled.error().code + " " + compiled.error().message +
                                 (compiled.error().where.empty() ? "" : " (" + compiled.error().where + ")")));
    return compiled;
  }

  Result<jsonata::Expression> expression(const Value& form, const std::string& place) const {
    const auto inner = form.is_string() ? jsonata::expression_in(form.as_string()) : std::nullopt;
    if (!inner) return fail(bad(place, "has to be an expression in {% %}"));
    auto compiled = jsonata::compile(*inner);
    if (!compiled)
      return fail(
          bad(place, compiled.error().code + " " + compiled.error().message + " (" + compiled.error().where + ")"));
    return compiled;
  }

  Result<changes::CallTemplate> call(const Value& form, const std::string& place) const {
    auto read = changes::read_call(form, place);
    // It says the place itself.
    if (!read) return fail(errors::validation(path_ + ": " + read.error().message, path_ + ":" + read.error().where));
    return read;
  }

  Result<void> standards(Control& control) const {
    const Value& standards = form_["standards"];
    if (standards.is_null()) return {};
    if (!standards.is_object()) return fail(bad("standards", "has to be a mapping of NAME/VERSION to numbers"));
    for (const auto& member : standards.as_object()) {
      FIXPOINT_TRY(numbers, names(member.value, "standards." + member.key));
      for (const auto& number : numbers) {
        const bool is_control =
            number.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 0 && number.find('.') != std::string::npos;
        control.aliases.push_back(is_control ? number : member.key + ":" + number);
      }
    }
    return {};
  }

  // What other services and tools call what is checked here: config, guardduty, macie, prowler (findings/asff.h).
  Result<void> checks(Control& control) const {
    const Value& checks = form_["checks"];
    if (checks.is_null()) return {};
    if (!checks.is_object()) return fail(bad("checks", "has to be a mapping of a tool to its names for the check"));
    for (const auto& member : checks.as_object()) {
      if (std::find(findings::check_tools.begin(), findings::check_tools.end(), member.key) ==
          findings::check_tools.end())
        return fail(bad("checks", "'" + member.key + "' is no tool whose names are known; there are " +
                                      join({findings::check_tools.begin(), findings::check_tools.end()}, ", ")));
      FIXPOINT_TRY(theirs, names(member.value, "checks." + member.key));
      for (const auto& name : theirs) control.aliases.push_back(member.key + ":" + name);
    }
    return {};
  }

  Result<void> parameters(Control& control) const {
    const Value& parameters = form_["parameters"];
    if (parameters.is_null()) return {};
    if (!parameters.is_object()) return fail(bad("parameters", "has to be a mapping"));
    for (const auto& member : parameters.as_object()) {
      const std::string place = "parameters." + member.key;
      FIXPOINT_CHECK(only(member.value, {"type", "default", "minimum", "maximum", "enum", "pattern"}, place));
      Parameter parameter;
      parameter.name = member.key;
      FIXPOINT_TRY(type, text(member.value, "type", place));
      if (type != "string" && type != "integer" && type != "number" && type != "boolean")
        return fail(bad(place + ".type", "is string, integer, number or boolean, not '" + type + "'"));
      parameter.type = type;
      if (member.value.find("default") == nullptr) return fail(bad(place + ".default", "is missing"));
      parameter.otherwise = member.value["default"];
      for (const auto& [name, bound] : {std::pair{"minimum", &parameter.minimum}, {"maximum", &parameter.maximum}}) {
        const Value* given = member.value.find(name);
        if (given == nullptr) continue;
        if (!given->is_number()) return fail(bad(place + "." + name, "has to be a number"));
        *bound = given->as_double();
      }
      if (const Value* choices = member.value.find("enum")) {
        if (!choices->is_array() || choices->size() == 0)
          return fail(bad(place + ".enum", "has to be a list, with at least one"));
        parameter.choices = choices->as_array();
      }
      if (member.value.find("pattern") != nullptr) {
        FIXPOINT_TRY(pattern, text(member.value, "pattern", place));
        parameter.pattern = pattern;
      }
      if (!parameter.pattern.empty()) {
        parameter.compiled = std::make_shared<const RE2>(parameter.pattern, RE2::Quiet);
        if (!parameter.compiled->ok()) return fail(bad(place + ".pattern", "is no regular expression"));
      }
      control.parameters.push_back(std::move(parameter));
    }
    auto defaults = parameters_of(control, {});
    if (!defaults) return fail(bad("parameters", "a default breaks its own bounds: " + defaults.error().message));
    return {};
  }

  Result<void> resource(Control& control) const {
    FIXPOINT_CHECK(only(form_["resource"], {"type", "id"}, "resource"));
    FIXPOINT_TRY(type, text(form_["resource"], "type", "resource"));
    control.resource_type = type;
    FIXPOINT_TRY(id, filled(form_["resource"]["id"], "resource.id"));
    control.resource_id = id;
    if (const Value* list = form_.find("list")) {
      FIXPOINT_CHECK(only(*list, {"call", "input", "each"}, "list"));
      FIXPOINT_TRY(listed, call(*list, "list"));
      control.list = listed;
      FIXPOINT_TRY(each, filled((*list)["each"], "list.each"));
      control.list_each = each;
    }
    return {};
  }

  Result<void> reads(Control& control) const {
    const Value& reads = form_["read"];
    if (!reads.is_object() || reads.size() == 0)
      return fail(bad("read", "has to be a mapping of names to calls, with at least one"));
    for (const auto& member : reads.as_object()) {
      const std::string place = "read." + member.key;
      FIXPOINT_CHECK(only(member.value, {"call", "input", "take", "absent", "gone"}, place));
      Read read;
      read.name = member.key;
      FIXPOINT_TRY(read_call, call(member.value, place));
      read.call = read_call;
      if (const Value* take = member.value.find("take")) {
        FIXPOINT_TRY(taken, filled(*take, place + ".take"));
        read.take = taken;
      }
      FIXPOINT_TRY(absent, codes(member.value["absent"], place + ".absent"));
      read.absent = absent;
      FIXPOINT_TRY(gone, codes(member.value["gone"], place + ".gone"));
      read.gone = gone;
      control.reads.push_back(std::move(read));
    }
    return {};
  }

  Result<void> lets(Control& control) const {
    const Value& lets = form_["let"];
    if (lets.is_null()) return {};
    if (!lets.is_object()) return fail(bad("let", "has to be a mapping of names to expressions"));
    for (const auto& member : lets.as_object()) {
      FIXPOINT_TRY(compiled, expression(member.value, "let." + member.key));
      control.lets.emplace_back(member.key, std::move(compiled));
    }
    return {};
  }

  Result<void> change(Control& control) const {
    const Value& calls = form_["change"];
    if (!calls.is_array() || calls.size() == 0)
      return fail(bad("change", "has to be a list of calls, with at least one"));
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const std::string place = "change[" + std::to_string(i) + "]";
      FIXPOINT_CHECK(only(calls[i], {"call", "input", "when", "done"}, place));
      ChangeCall change;
      FIXPOINT_TRY(change_call, call(calls[i], place));
      change.call = change_call;
      if (const Value* when = calls[i].find("when")) {
        FIXPOINT_TRY(condition, filled(*when, place + ".when"));
        change.when = condition;
      }
      FIXPOINT_TRY(done, codes(calls[i]["done"], place + ".done"));
      change.done = done;
      control.changes.push_back(std::move(change));
    }
    return {};
  }

  Result<void> refuse(Control& control) const {
    const Value& refusals = form_["refuse"];
    if (refusals.is_null()) return {};
    if (!refusals.is_array()) return fail(bad("refuse", "has to be a list of {when, because}"));
    for (std::size_t i = 0; i < refusals.size(); ++i) {
      const std::string place = "refuse[" + std::to_string(i) + "]";
      FIXPOINT_CHECK(only(refusals[i], {"when", "because"}, place));
      FIXPOINT_TRY(when, filled(refusals[i]["when"], place + ".when"));
      FIXPOINT_TRY(because, text(refusals[i], "because", place));
      control.refusals.push_back(Refusal{when, because});
    }
    return {};
  }

  Result<void> scene(Control& control) const {
    const Value& scene = form_["scene"];
    if (scene.is_null()) return fail(bad("scene", "is missing: a control is tried on the scene that it brings"));
    FIXPOINT_CHECK(only(scene, {"given", "resource", "then"}, "scene"));
    FIXPOINT_TRY(resource, filled(scene["resource"], "scene.resource"));
    control.scene_resource = resource;
    for (const auto* part : {"given", "then"}) {
      const Value& calls = scene[part];
      const std::string place = std::string("scene.") + part;
      if (!calls.is_array() || calls.size() == 0)
        return fail(bad(place, "has to be a list of calls, with at least one"));
      for (std::size_t i = 0; i < calls.size(); ++i) {
        const std::string here = place + "[" + std::to_string(i) + "]";
        FIXPOINT_CHECK(only(calls[i], {"call", "input", "keep", "expect"}, here));
        SceneCall step;
        FIXPOINT_TRY(scene_call, call(calls[i], here));
        step.call = scene_call;
        step.keep = calls[i]["keep"].string_or("");
        if (const Value* expect = calls[i].find("expect")) {
          FIXPOINT_TRY(expected, filled(*expect, here + ".expect"));
          step.expect = expected;
        } else if (std::string_view(part) == "then") {
          return fail(bad(here + ".expect", "is missing"));
        }
        (std::string_view(part) == "given" ? control.scene_given : control.scene_then).push_back(std::move(step));
      }
    }
    return {};
  }

  const Value& form_;
  std::string path_;
};

Result<void> check_parameter(const Parameter& parameter, const Value& value) {
  const auto bad = [&](const std::string& message) {
    return fail(
        errors::validation("the parameter '" + parameter.name + "' " + message, "parameters." + parameter.name));
  };
  if (parameter.type == "string" && !value.is_string()) return bad("has to be text");
  if (parameter.type == "boolean" && !value.is_bool()) return bad("has to be true or false");
  if (parameter.type == "integer" && !value.as_int64()) return bad("has to be a whole number");
  if (parameter.type == "number" && !value.is_number()) return bad("has to be a number");
  if (value.is_number()) {
    if (parameter.minimum && value.as_double() < *parameter.minimum)
      return bad("has to be at least " + Value(*parameter.minimum).number_text());
    if (parameter.maximum && value.as_double() > *parameter.maximum)
      return bad("has to be at most " + Value(*parameter.maximum).number_text());
  }
  if (!parameter.choices.empty() &&
      std::find(parameter.choices.begin(), parameter.choices.end(), value) == parameter.choices.end())
    return bad("has to be one of " + json::print(Value(parameter.choices)));
  if (parameter.compiled && value.is_string() && !RE2::FullMatch(value.as_string(), *parameter.compiled))
    return bad("has to match " + parameter.pattern);
  return {};
}

}  // namespace

std::vector<std::string> Control::calls() const {
  std::set<std::string> calls;
  const auto add = [&](const changes::CallTemplate& call) { calls.insert(call.service + ":" + call.operation); };
  for (const Read& read : reads) add(read.call);
  for (const ChangeCall& change : changes) add(change.call);
  if (list) add(*list);
  return {calls.begin(), calls.end()};
}

Result<std::shared_ptr<const Control>> read_control(const Value& form, const std::string& path) {
  return Reader(form, path).read();
}

Result<ControlSet> ControlSet::load(const catalog::Catalog& catalog) {
  ControlSet out;
  for (const std::string& path : catalog.list("controls")) {
    auto form = json::parse_yaml(*catalog.find(path));
    if (!form) return fail(errors::validation(path + ": " + describe(form.error()), path));
    FIXPOINT_TRY(control, read_control(*form, path));
    if (!out.by_id_.emplace(control->id, control).second)
      return fail(errors::validation(path + ": there is a control '" + control->id + "' already", path));
    for (const auto& alias : control->aliases) {
      const auto [at, fresh] = out.by_alias_.emplace(alias, control);
      if (!fresh && at->second != control)
        return fail(errors::validation(path + ": '" + alias + "' names control " + at->second->id + " already", path));
    }
  }
  return out;
}

std::shared_ptr<const Control> ControlSet::find(std::string_view name) const {
  if (const auto found = by_id_.find(name); found != by_id_.end()) return found->second;
  const auto found = by_alias_.find(name);
  return found == by_alias_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Control>> ControlSet::all() const {
  std::vector<std::shared_ptr<const Control>> controls;
  for (const auto& [id, control] : by_id_) controls.push_back(control);
  return controls;
}

const Value& resource_of(const Value& finding, const Control& control) {
  const Value& resources = finding["Resources"];
  for (std::size_t i = 0; i < resources.size(); ++i)
    if (resources[i]["Type"].string_or("") == control.resource_type) return resources[i];
  return resources[0];
}

Result<Value> parameters_of(const Control& control, const Value& given) {
  json::Object values;
  for (const Parameter& parameter : control.parameters) {
    const Value* chosen = given.find(parameter.name);
    const Value& value = chosen != nullptr ? *chosen : parameter.otherwise;
    FIXPOINT_CHECK(check_parameter(parameter, value));
    values.set(parameter.name, value);
  }
  if (given.is_object())
    for (const auto& member : given.as_object())
      if (!values.contains(member.key))
        return fail(errors::validation("the control " + control.id + " has no parameter '" + member.key + "'",
                                       "parameters." + member.key));
  return Value(std::move(values));
}

}  // namespace fixpoint::controls
