#include "services/securityhub/standards.h"

#include <algorithm>

#include "json/text.h"

namespace fixpoint::services::hub {

using json::Value;

namespace {

constexpr const char* subscription_kind = "standard";
constexpr const char* status_kind = "control-status";          // by standard and control
constexpr const char* parameters_kind = "control-parameters";  // by control

Error no_control(const std::string& id) {
  return errors::resource_not_found(
      "there is no control '" + id + "' in the catalogue; ListSecurityControlDefinitions lists those there are",
      "SecurityControlId");
}

std::string control_arn(const aws::Caller& caller, const std::string& id) {
  return hub_arn(caller, "security-control/" + id);
}

// The model knows four ratings.
std::string rating(const controls::Control& control) {
  return control.severity == "INFORMATIONAL" ? "LOW" : control.severity;
}

std::string remediation_url(const std::string& id) {
  return "https://docs.aws.amazon.com/console/securityhub/" + id + "/remediation";
}

// A value as {"Integer": 5}, as the model has it.
Value typed(const controls::Parameter& parameter, const Value& value) {
  const char* member = parameter.type == "integer"   ? "Integer"
                       : parameter.type == "number"  ? "Double"
                       : parameter.type == "boolean" ? "Boolean"
                       : parameter.choices.empty()   ? "String"
                                                     : "Enum";
  return json::Object{{member, value}};
}

Value unprocessed_id(const std::string& id) {
  return json::Object{{"SecurityControlId", id}, {"ErrorCode", "NOT_FOUND"}, {"ErrorReason", no_control(id).message}};
}

}  // namespace

struct Standards::Standard {
  std::string key;   ///< as a control's aliases have it: "cis-aws-foundations-benchmark/1.2.0"
  std::string path;  ///< of its ARN: "standards/NAME/v/1.0.0", or "ruleset/..." without a region
  std::string name;
  bool by_default;
};

const std::vector<Standards::Standard>& Standards::all() {
  static const std::vector<Standard> standards{
      {"aws-foundational-security-best-practices/1.0.0", "standards/aws-foundational-security-best-practices/v/1.0.0",
       "AWS Foundational Security Best Practices v1.0.0", true},
      {"cis-aws-foundations-benchmark/1.2.0", "ruleset/cis-aws-foundations-benchmark/v/1.2.0",
       "CIS AWS Foundations Benchmark v1.2.0", true},
      {"cis-aws-foundations-benchmark/1.4.0", "standards/cis-aws-foundations-benchmark/v/1.4.0",
       "CIS AWS Foundations Benchmark v1.4.0", false},
      {"cis-aws-foundations-benchmark/3.0.0", "standards/cis-aws-foundations-benchmark/v/3.0.0",
       "CIS AWS Foundations Benchmark v3.0.0", false},
      {"nist-800-53/5.0.0", "standards/nist-800-53/v/5.0.0", "NIST Special Publication 800-53 Revision 5", false},
      {"pci-dss/3.2.1", "standards/pci-dss/v/3.2.1", "PCI DSS v3.2.1", false},
      {"pci-dss/4.0.1", "standards/pci-dss/v/4.0.1", "PCI DSS v4.0.1", false},
  };
  return standards;
}

std::string Standards::arn_of(const aws::Caller& caller, const Standard& standard) {
  const bool ruleset = standard.path.starts_with("ruleset/");
  return "arn:" + caller.partition + ":securityhub:" + (ruleset ? "" : caller.region) + "::" + standard.path;
}

std::string Standards::subscription_of(const aws::Caller& caller, const Standard& standard) {
  return hub_arn(caller, "subscription/" + standard.path.substr(standard.path.find('/') + 1));
}

Result<const Standards::Standard*> Standards::named(const aws::Caller& caller, std::string_view arn,
                                                    bool subscription) const {
  for (const Standard& standard : all())
    if (arn == (subscription ? subscription_of(caller, standard) : arn_of(caller, standard))) return &standard;
  return fail(errors::resource_not_found(
      "no standard has the ARN '" + std::string(arn.substr(0, 200)) + "'; DescribeStandards lists them",
      subscription ? "StandardsSubscriptionArn" : "StandardsArn"));
}

// Every control is one of the foundational best practices; what others call it stands among its aliases: "KEY:4.1", or,
// where the standard's own ids look like a control's, as they are.
std::vector<std::string> Standards::requirements(const controls::Control& control, const Standard& standard) {
  std::vector<std::string> out;
  for (const std::string& alias : control.aliases)
    if (alias.starts_with(standard.key + ":")) out.push_back(alias.substr(standard.key.size() + 1));
  if (standard.key == "pci-dss/3.2.1")
    for (const std::string& alias : control.aliases)
      if (alias.starts_with("PCI.")) out.push_back(alias);
  if (standard.by_default && standard.key.starts_with("aws-")) out.push_back(control.id);
  return out;
}

Result<void> Standards::enable_defaults(store::Transaction& tx, const aws::Caller& caller) {
  for (const Standard& standard : all())
    if (standard.by_default)
      FIXPOINT_CHECK(records_.put(tx, subscription_kind, caller, subscription_of(caller, standard), json::Object()));
  return {};
}

void Standards::add_to(aws::ServiceTable& table) {
  add_subscriptions(table);
  add_controls(table);
  add_associations(table);
}

Result<Value> Standards::subscriptions(const aws::Caller& caller, const Value& arns) {
  return records_.store().read([&](store::Session& session) -> Result<Value> {
    json::Array out;
    for (const Standard& standard : all()) {
      const std::string arn = subscription_of(caller, standard);
      bool asked = arns.size() == 0;
      for (std::size_t i = 0; i < arns.size(); ++i) asked = asked || arns[i].string_or("") == arn;
      FIXPOINT_TRY(found, records_.get(session, subscription_kind, caller, arn));
      if (!asked || !found) continue;
      out.emplace_back(json::Object{{"StandardsSubscriptionArn", arn},
                                    {"StandardsArn", arn_of(caller, standard)},
                                    {"StandardsInput", json::Object()},
                                    {"StandardsStatus", "READY"},
                                    {"StandardsControlsUpdatable", "READY_FOR_UPDATES"}});
    }
    return Value(std::move(out));
  });
}

void Standards::add_subscriptions(aws::ServiceTable& table) {
  table.add_quick("DescribeStandards", [](const aws::Caller& caller, const Value& input) -> Result<Value> {
    json::Array items;
    for (const Standard& standard : all())
      items.emplace_back(
          json::Object{{"StandardsArn", arn_of(caller, standard)},
                       {"Name", standard.name},
                       {"Description", standard.name + ": of its controls, those that fixpoint can remedy."},
                       {"EnabledByDefault", standard.by_default},
                       {"StandardsManagedBy", json::Object{{"Company", "AWS"}, {"Product", "Security Hub"}}}});
    return page_of(items, input, "Standards");
  });
  table.add_quick("GetEnabledStandards", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    for (std::size_t i = 0; i < input["StandardsSubscriptionArns"].size(); ++i)
      FIXPOINT_CHECK(named(caller, input["StandardsSubscriptionArns"][i].string_or(""), true));
    FIXPOINT_TRY(list, subscriptions(caller, input["StandardsSubscriptionArns"]));
    return page_of(list.as_array(), input, "StandardsSubscriptions");
  });
  table.add("BatchEnableStandards", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "StandardsSubscriptionRequests"));
    json::Array arns;
    FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
      for (const Value& one : input["StandardsSubscriptionRequests"].as_array()) {
        FIXPOINT_TRY(standard, named(caller, one["StandardsArn"].string_or(""), false));
        const std::string arn = subscription_of(caller, *standard);
        FIXPOINT_CHECK(records_.put(tx, subscription_kind, caller, arn, json::Object()));
        arns.emplace_back(arn);
      }
      return {};
    }));
    FIXPOINT_TRY(list, subscriptions(caller, arns));
    return Value(json::Object{{"StandardsSubscriptions", list}});
  });
  table.add("BatchDisableStandards", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "StandardsSubscriptionArns"));
    const Value& arns = input["StandardsSubscriptionArns"];
    FIXPOINT_TRY(list, subscriptions(caller, arns));
    for (const Value& arn : arns.as_array())
      if (std::none_of(list.as_array().begin(), list.as_array().end(),
                       [&](const Value& one) { return one["StandardsSubscriptionArn"] == arn; }))
        return fail(errors::resource_not_found("the standard '" + std::string(arn.string_or("")) + "' is not enabled",
                                               "StandardsSubscriptionArns"));
    for (Value& one : list.as_array()) one.set("StandardsStatus", "DELETING");
    FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
      for (const Value& arn : arns.as_array())
        FIXPOINT_CHECK(records_.remove(tx, subscription_kind, caller, std::string(arn.string_or(""))));
      return {};
    }));
    return Value(json::Object{{"StandardsSubscriptions", list}});
  });
}

Value Standards::definition(const controls::Control& control) const {
  json::Object out{{"SecurityControlId", control.id},   {"Title", control.title},
                   {"Description", control.title},      {"RemediationUrl", remediation_url(control.id)},
                   {"SeverityRating", rating(control)}, {"CurrentRegionAvailability", "AVAILABLE"}};
  if (control.parameters.empty()) return Value(std::move(out));
  json::Object definitions;
  for (const auto& parameter : control.parameters) {
    json::Object options{{"DefaultValue", parameter.otherwise}};
    const auto bound = [&](double value) {
      return parameter.type == "integer" ? Value(static_cast<std::int64_t>(value)) : Value(value);
    };
    if (parameter.minimum) options.set("Min", bound(*parameter.minimum));
    if (parameter.maximum) options.set("Max", bound(*parameter.maximum));
    const char* kind = parameter.type == "integer"   ? "Integer"
                       : parameter.type == "number"  ? "Double"
                       : parameter.type == "boolean" ? "Boolean"
                       : parameter.choices.empty()   ? "String"
                                                     : "Enum";
    if (!parameter.choices.empty() && parameter.type == "string")
      options.set("AllowedValues", json::Array(parameter.choices));
    definitions.set(parameter.name,
                    json::Object{{"Description", "The parameter " + parameter.name + " of " + control.id + "."},
                                 {"ConfigurationOptions", json::Object{{kind, std::move(options)}}}});
  }
  out.set("CustomizableProperties", json::Array{Value("Parameters")});
  out.set("ParameterDefinitions", std::move(definitions));
  return Value(std::move(out));
}

void Standards::add_controls(aws::ServiceTable& table) {
  table.add_quick("ListSecurityControlDefinitions",
                  [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
                    const Standard* standard = nullptr;
                    if (const std::string_view arn = input["StandardsArn"].string_or(""); !arn.empty()) {
                      FIXPOINT_TRY(found, named(caller, arn, false));
                      standard = found;
                    }
                    json::Array items;
                    for (const auto& control : controls_.all())
                      if (standard == nullptr || !requirements(*control, *standard).empty())
                        items.push_back(definition(*control));
                    return page_of(items, input, "SecurityControlDefinitions");
                  });
  table.add_quick("GetSecurityControlDefinition", [this](const aws::Caller&, const Value& input) -> Result<Value> {
    const std::string id(input["SecurityControlId"].string_or(""));
    const auto control = controls_.find(id);
    if (!control) return fail(no_control(id));
    return Value(json::Object{{"SecurityControlDefinition", definition(*control)}});
  });
  table.add_quick("BatchGetSecurityControls", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "SecurityControlIds"));
    return records_.store().read([&](store::Session& session) -> Result<Value> {
      json::Array found_ones, failed;
      for (const Value& one : input["SecurityControlIds"].as_array()) {
        std::string id(one.string_or(""));
        if (id.starts_with("arn:")) id = id.substr(id.rfind('/') + 1);
        const auto control = controls_.find(id);
        if (!control) {
          failed.push_back(unprocessed_id(id));
          continue;
        }
        FIXPOINT_TRY(set, records_.get(session, parameters_kind, caller, control->id));
        json::Object parameters;
        for (const auto& parameter : control->parameters) {
          const Value* custom = set ? set->body["Parameters"].find(parameter.name) : nullptr;
          parameters.set(parameter.name, custom != nullptr
                                             ? *custom
                                             : Value(json::Object{{"ValueType", "DEFAULT"},
                                                                  {"Value", typed(parameter, parameter.otherwise)}}));
        }
        bool enabled = false;
        for (const Standard& standard : all()) {
          if (requirements(*control, standard).empty()) continue;
          FIXPOINT_TRY(shown, association(session, caller, *control, standard));
          enabled = enabled || shown["AssociationStatus"].string_or("") == "ENABLED";
        }
        Value out = definition(*control);
        for (const auto* member : {"CurrentRegionAvailability", "CustomizableProperties", "ParameterDefinitions"})
          out.as_object().erase(member);
        out.set("SecurityControlArn", control_arn(caller, control->id));
        out.set("SecurityControlStatus", enabled ? "ENABLED" : "DISABLED");
        out.set("UpdateStatus", "READY");
        out.set("Parameters", std::move(parameters));
        if (set && !set->body["LastUpdateReason"].is_null()) out.set("LastUpdateReason", set->body["LastUpdateReason"]);
        found_ones.push_back(std::move(out));
      }
      return Value(json::Object{{"SecurityControls", found_ones}, {"UnprocessedIds", failed}});
    });
  });
  table.add("UpdateSecurityControl", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string id(input["SecurityControlId"].string_or(""));
    const auto control = controls_.find(id.starts_with("arn:") ? id.substr(id.rfind('/') + 1) : id);
    if (!control) return fail(no_control(id));
    json::Object given, kept;
    for (const auto& member : input["Parameters"].as_object()) {
      if (member.value["ValueType"].string_or("") != "CUSTOM") continue;
      const Value& value = member.value["Value"];
      if (value.size() != 1)
        return fail(errors::invalid_input("Parameters." + member.key + ".Value has to hold one value",
                                          "Parameters." + member.key));
      given.set(member.key, value.as_object().begin()->value);
      kept.set(member.key, member.value);
    }
    const auto right = controls::parameters_of(*control, Value(given));
    if (!right) return fail(errors::invalid_input(right.error().message, "Parameters"));
    FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) {
      return records_.put(tx, parameters_kind, caller, control->id,
                          json::Object{{"Parameters", kept}, {"LastUpdateReason", input["LastUpdateReason"]}});
    }));
    return Value(json::Object());
  });
}

Result<Value> Standards::association(store::Session& session, const aws::Caller& caller,
                                     const controls::Control& control, const Standard& standard) {
  FIXPOINT_TRY(subscribed, records_.get(session, subscription_kind, caller, subscription_of(caller, standard)));
  FIXPOINT_TRY(set, records_.get(session, status_kind, caller, standard.key + "/" + control.id));
  const std::string status = !subscribed ? "DISABLED"
                             : set       ? std::string(set->body["Status"].string_or(""))
                                         : "ENABLED";
  json::Array related;
  for (const std::string& one : requirements(control, standard)) related.emplace_back(one);
  json::Object out{{"StandardsArn", arn_of(caller, standard)},
                   {"SecurityControlId", control.id},
                   {"SecurityControlArn", control_arn(caller, control.id)},
                   {"AssociationStatus", status},
                   {"RelatedRequirements", std::move(related)},
                   {"StandardsControlTitle", control.title},
                   {"StandardsControlDescription", control.title}};
  if (set) {
    out.set("UpdatedAt", static_cast<double>(set->changed_ms) / 1000);
    if (!set->body["Reason"].is_null()) out.set("UpdatedReason", set->body["Reason"]);
  }
  return Value(std::move(out));
}

void Standards::add_associations(aws::ServiceTable& table) {
  table.add_quick("ListStandardsControlAssociations",
                  [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
                    const std::string id(input["SecurityControlId"].string_or(""));
                    const auto control = controls_.find(id);
                    if (!control) return fail(no_control(id));
                    FIXPOINT_TRY(items, records_.store().read([&](store::Session& session) -> Result<json::Array> {
                      json::Array out;
                      for (const Standard& standard : all()) {
                        if (requirements(*control, standard).empty()) continue;
                        FIXPOINT_TRY(one, association(session, caller, *control, standard));
                        out.push_back(std::move(one));
                      }
                      return out;
                    }));
                    return page_of(items, input, "StandardsControlAssociationSummaries");
                  });
  table.add_quick(
      "BatchGetStandardsControlAssociations", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
        FIXPOINT_CHECK(holds_some(input, "StandardsControlAssociationIds"));
        return records_.store().read([&](store::Session& session) -> Result<Value> {
          json::Array found_ones, failed;
          for (const Value& one : input["StandardsControlAssociationIds"].as_array()) {
            const auto control = controls_.find(one["SecurityControlId"].string_or(""));
            const auto standard = named(caller, one["StandardsArn"].string_or(""), false);
            if (!control || !standard || requirements(*control, **standard).empty()) {
              failed.emplace_back(json::Object{{"StandardsControlAssociationId", one},
                                               {"ErrorCode", "NOT_FOUND"},
                                               {"ErrorReason", "the standard has no such control here"}});
              continue;
            }
            FIXPOINT_TRY(shown, association(session, caller, *control, **standard));
            found_ones.push_back(std::move(shown));
          }
          return Value(
              json::Object{{"StandardsControlAssociationDetails", found_ones}, {"UnprocessedAssociations", failed}});
        });
      });
  table.add("BatchUpdateStandardsControlAssociations",
            [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
              FIXPOINT_CHECK(holds_some(input, "StandardsControlAssociationUpdates"));
              return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
                json::Array failed;
                for (const Value& one : input["StandardsControlAssociationUpdates"].as_array()) {
                  const auto control = controls_.find(one["SecurityControlId"].string_or(""));
                  const auto standard = named(caller, one["StandardsArn"].string_or(""), false);
                  const bool disables = one["AssociationStatus"].string_or("") == "DISABLED";
                  const bool there = control && standard && !requirements(*control, **standard).empty();
                  if (!there || (disables && one["UpdatedReason"].string_or("").empty())) {
                    failed.emplace_back(
                        json::Object{{"StandardsControlAssociationUpdate", one},
                                     {"ErrorCode", there ? "INVALID_INPUT" : "NOT_FOUND"},
                                     {"ErrorReason", there ? "a control is disabled for a reason: give UpdatedReason"
                                                           : "the standard has no such control here"}});
                    continue;
                  }
                  FIXPOINT_CHECK(records_.put(
                      tx, status_kind, caller, (*standard)->key + "/" + control->id,
                      json::Object{{"Status", one["AssociationStatus"]}, {"Reason", one["UpdatedReason"]}}));
                }
                return Value(json::Object{{"UnprocessedAssociationUpdates", failed}});
              });
            });
  table.add_quick("DescribeStandardsControls", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(standard, named(caller, input["StandardsSubscriptionArn"].string_or(""), true));
    FIXPOINT_TRY(items, records_.store().read([&](store::Session& session) -> Result<json::Array> {
      json::Array out;
      FIXPOINT_TRY(subscribed, records_.get(session, subscription_kind, caller, subscription_of(caller, *standard)));
      if (!subscribed)
        return fail(errors::resource_not_found("the standard is not enabled", "StandardsSubscriptionArn"));
      for (const auto& control : controls_.all()) {
        if (requirements(*control, *standard).empty()) continue;
        FIXPOINT_TRY(one, association(session, caller, *control, *standard));
        json::Object shown{
            {"StandardsControlArn",
             hub_arn(caller, "control/" + standard->path.substr(standard->path.find('/') + 1) + "/" + control->id)},
            {"ControlStatus", one["AssociationStatus"]},
            {"ControlId", control->id},
            {"Title", control->title},
            {"Description", control->title},
            {"RemediationUrl", remediation_url(control->id)},
            {"SeverityRating", rating(*control)},
            {"RelatedRequirements", one["RelatedRequirements"]}};
        if (!one["UpdatedReason"].is_null()) shown.set("DisabledReason", one["UpdatedReason"]);
        if (!one["UpdatedAt"].is_null()) shown.set("ControlStatusUpdatedAt", one["UpdatedAt"]);
        out.emplace_back(std::move(shown));
      }
      return out;
    }));
    return page_of(items, input, "Controls");
  });
  table.add("UpdateStandardsControl", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["StandardsControlArn"].string_or(""));
    const std::string status(input["ControlStatus"].string_or("ENABLED"));
    for (const Standard& standard : all()) {
      const std::string start = hub_arn(caller, "control/" + standard.path.substr(standard.path.find('/') + 1) + "/");
      if (!arn.starts_with(start)) continue;
      const auto control = controls_.find(arn.substr(start.size()));
      if (!control || requirements(*control, standard).empty()) break;
      if (status == "DISABLED" && input["DisabledReason"].string_or("").empty())
        return fail(errors::invalid_input("a control is disabled for a reason: give DisabledReason", "DisabledReason"));
      FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) {
        return records_.put(tx, status_kind, caller, standard.key + "/" + control->id,
                            json::Object{{"Status", status}, {"Reason", input["DisabledReason"]}});
      }));
      return Value(json::Object());
    }
    return fail(errors::resource_not_found("no control of a standard has the ARN '" + arn.substr(0, 200) + "'",
                                           "StandardsControlArn"));
  });
}

}  // namespace fixpoint::services::hub
