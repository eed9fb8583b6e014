#include "sources/sources.h"

#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Value;

// What comes on the same way and is no finding, by an event's source and detail-type, with the sentence that says so.
struct Other {
  std::string_view source;  // empty for any
  std::string_view detail_type;
  std::string_view says;
};
constexpr Other others[] = {
    {"aws.securityhub", "Security Hub Insight Results",
     "counts findings by a resource's or user's name and carries none of them; import the findings themselves, such as "
     "the answer of GetFindings"},
    {"aws.health", "AWS Health Event",
     "tells of AWS's own service or of planned work on a resource, not of a resource's security; there is no finding "
     "in it to be remediated"},
    {"aws.config", "Config Configuration Item Change",
     "tells what a resource is like, and no rule's verdict on it; import the event 'Config Rules Compliance Change' or "
     "a "
     "rule's evaluation results"},
    {"", "AWS API Call via CloudTrail", "tells of a call that somebody made; there is no finding in it"},
};

std::string shown(std::string_view text) {
  return "'" + cut_characters(text, 128) + "'";
}

std::string known_forms() {
  std::string out;
  for (const Form& form : forms()) out += (out.empty() ? "" : ", ") + std::string(form.name);
  return out;
}

Error no_findings(const std::string& what) {
  return errors::invalid_input(what + "; known are: " + known_forms() +
                               "; alone, in an array, in an answer's list of them ({\"Findings\": [...]}) or in an "
                               "EventBridge event");
}

bool is_event(const Value& value) {
  return value["detail"].is_object() && (value.find("detail-type") != nullptr || value.find("source") != nullptr ||
                                         value["detail"].find("findings") != nullptr);
}

// An item as it lies in the document, and the event around it.
struct Place {
  const Value* value;
  const Value* event;
};

Result<void> list_into(std::vector<Place>& out, const Value& list, const Value& event) {
  if (!list.is_array())
    return fail(errors::invalid_input("the findings have to be an array, not " + std::string(json::kind_name(list))));
  for (const Value& item : list.as_array()) out.push_back({&item, &event});
  return {};
}

// The lists that answers of AWS's operations have: GetFindings of Security Hub and, by the aws command, of GuardDuty;
// GetFindings and ListFindings of Inspector2, Macie and Access Analyzer; GetFinding of the last; Config's
// GetComplianceDetailsByConfigRule and GetAggregateComplianceDetailsByConfigRule.
constexpr std::string_view answer_lists[] = {"Findings", "findings", "EvaluationResults", "AggregateEvaluationResults"};

Result<void> unwrap(std::vector<Place>& out, const Value& value) {
  static const Value nothing;
  if (is_event(value)) {
    const std::string_view source = value["source"].string_or("");
    const std::string_view type = value["detail-type"].string_or("");
    for (const Other& other : others)
      if ((other.source.empty() || source == other.source) && type == other.detail_type)
        return fail(errors::invalid_input("an event " + shown(type) + " of " + cut_characters(source, 128) + " " +
                                          std::string(other.says)));
    const Value& detail = value["detail"];
    if (const Value* list = detail.find("findings")) return list_into(out, *list, value);
    out.push_back({&detail, &value});
    return {};
  }
  for (const std::string_view name : answer_lists)
    if (const Value* list = value.find(name)) return list_into(out, *list, nothing);
  const Value& one = value["finding"];
  out.push_back({one.is_object() ? &one : &value, &nothing});
  return {};
}

// As the forms name theirs.
std::string_view id_of(const Value& value) {
  for (const auto* member : {"Id", "id", "findingArn", "findingId", "Arn", "arn"})
    if (value[member].is_string()) return value[member].as_string();
  if (value["finding_info"]["uid"].is_string()) return value["finding_info"]["uid"].as_string();
  // Config's have no id of their own.
  if (value["resourceId"].is_string()) return value["resourceId"].as_string();
  return value["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"].string_or("");
}

}  // namespace

Result<Taken> take(const Value& document, const Caller& caller) {
  std::vector<Place> places;
  if (document.is_array()) {
    for (const Value& item : document.as_array()) {
      static const Value nothing;
      if (is_event(item))
        FIXPOINT_CHECK(unwrap(places, item));
      else
        places.push_back({&item, &nothing});
    }
  } else if (document.is_object()) {
    FIXPOINT_CHECK(unwrap(places, document));
  } else {
    return fail(no_findings("the document is " + std::string(json::kind_name(document)) + " and holds no findings"));
  }
  if (places.empty()) return fail(errors::invalid_input("the document holds no findings"));

  Taken taken;
  Repairs repairs;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Value& value = *places[i].value;
    const Value& event = *places[i].event;
    Value original;
    const Item item{value, event, caller, repairs, i, id_of(value), &original};
    const std::string place = "finding " + std::to_string(i + 1);
    if (!value.is_object())
      return fail(
          errors::invalid_input(place + ": a finding has to be an object, not " + std::string(json::kind_name(value)),
                                "findings[" + std::to_string(i) + "]"));
    const Form* form = nullptr;
    for (const Form& known : forms())
      if (form == nullptr && known.is(value)) form = &known;
    if (form == nullptr) {
      const std::string_view type = event["detail-type"].string_or("");
      return fail(no_findings(!type.empty()        ? "the event " + shown(type) + " is of no form that is known"
                              : places.size() == 1 ? "the document holds no findings in a form that is known"
                                                   : place + " is of no form that is known"));
    }
    FIXPOINT_TRY(finding, form->read(item));
    taken.findings.push_back(std::move(finding));
    taken.originals.push_back(std::move(original));
  }
  taken.repaired = repairs.sentences();
  return taken;
}

}  // namespace fixpoint::sources
