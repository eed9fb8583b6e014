#include "findings/ocsf_filters.h"

#include <algorithm>

#include "base/text.h"
#include "findings/ocsf.h"
#include "findings/resources.h"
#include "findings/shown.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;
using Kind = OcsfField::Kind;
using Index = OcsfField::Index;
using Test = Filters::Test;

std::string rewrite_type(std::string_view asff) {
  return std::string(cloudformation_type_of(asff));
}

// The names of the model's OcsfStringField, OcsfDateField, OcsfNumberField, OcsfBooleanField, OcsfMapField,
// OcsfIpField.
constexpr OcsfField fields[] = {
    {"metadata.uid", Kind::Text, Index::Uid, "", nullptr, true},
    {"activity_name", Kind::Text, Index::Activity},
    {"cloud.account.uid", Kind::Text, Index::Same, "AwsAccountId", nullptr, true},
    {"cloud.account.name", Kind::Text, Index::Same, "AwsAccountName"},
    {"cloud.provider", Kind::Text},
    {"cloud.region", Kind::Text, Index::Same, "Region", nullptr, true},
    {"compliance.assessments.category", Kind::Text},
    {"compliance.assessments.name", Kind::Text},
    {"compliance.control", Kind::Text, Index::Same, "ComplianceSecurityControlId"},
    {"compliance.status", Kind::Text, Index::Compliance, "ComplianceStatus", nullptr, true},
    {"compliance.standards", Kind::Text, Index::Same, "ComplianceAssociatedStandardsId"},
    {"finding_info.analytic.name", Kind::Text},
    {"finding_info.desc", Kind::Text},
    {"finding_info.src_url", Kind::Text},
    {"finding_info.title", Kind::Text, Index::Same, "Title"},
    {"finding_info.types", Kind::Text},
    {"finding_info.uid", Kind::Text, Index::Same, "Id"},
    {"finding_info.related_events.traits.category", Kind::Text},
    {"finding_info.related_events.uid", Kind::Text},
    {"finding_info.related_events.product.uid", Kind::Text},
    {"finding_info.related_events.title", Kind::Text},
    {"metadata.product.name", Kind::Text},
    {"metadata.product.uid", Kind::Text, Index::Derived, "ProductArn", product_uid_of},
    {"metadata.product.vendor_name", Kind::Text},
    {"remediation.desc", Kind::Text},
    {"remediation.references", Kind::Text},
    {"resources.cloud_partition", Kind::Text},
    {"resources.region", Kind::Text},
    {"resources.type", Kind::Text, Index::Derived, "ResourceType", rewrite_type},
    {"resources.uid", Kind::Text, Index::Same, "ResourceId"},
    {"severity", Kind::Text, Index::Severity, "SeverityLabel", nullptr, true},
    {"status", Kind::Text, Index::Status, "WorkflowStatus", nullptr, true},
    {"vendor_attributes.severity", Kind::Text, Index::ProviderSeverity, "FindingProviderFieldsSeverityLabel"},
    {"comment", Kind::Text},
    {"class_name", Kind::Text},
    {"vulnerabilities.fix_coverage", Kind::Text},
    {"vulnerabilities.affected_code.file.path", Kind::Text},
    {"vulnerabilities.affected_packages.name", Kind::Text},
    {"vulnerabilities.cve.epss.score", Kind::Text},
    {"vulnerabilities.cve.uid", Kind::Text},
    {"vulnerabilities.related_vulnerabilities", Kind::Text},
    {"databucket.encryption_details.algorithm", Kind::Text},
    {"databucket.encryption_details.key_uid", Kind::Text},
    {"databucket.file.data_classifications.classifier_details.type", Kind::Text},
    {"evidences.actor.user.account.uid", Kind::Text},
    {"evidences.api.operation", Kind::Text},
    {"evidences.api.response.error_message", Kind::Text},
    {"evidences.api.service.name", Kind::Text},
    {"evidences.connection_info.direction", Kind::Text},
    {"evidences.connection_info.protocol_name", Kind::Text},
    {"evidences.dst_endpoint.autonomous_system.name", Kind::Text},
    {"evidences.dst_endpoint.location.city", Kind::Text},
    {"evidences.dst_endpoint.location.country", Kind::Text},
    {"evidences.src_endpoint.autonomous_system.name", Kind::Text},
    {"evidences.src_endpoint.hostname", Kind::Text},
    {"evidences.src_endpoint.location.city", Kind::Text},
    {"evidences.src_endpoint.location.country", Kind::Text},
    {"malware.name", Kind::Text},
    {"malware_scan_info.uid", Kind::Text},
    {"malware.severity", Kind::Text},
    {"resources.cloud_function.layers.uid_alt", Kind::Text},
    {"resources.cloud_function.runtime", Kind::Text},
    {"resources.cloud_function.user.uid", Kind::Text},
    {"resources.device.encryption_details.key_uid", Kind::Text},
    {"resources.device.image.uid", Kind::Text},
    {"resources.image.architecture", Kind::Text},
    {"resources.image.registry_uid", Kind::Text},
    {"resources.image.repository_name", Kind::Text},
    {"resources.image.uid", Kind::Text},
    {"resources.subnet_info.uid", Kind::Text},
    {"resources.vpc_uid", Kind::Text},
    {"finding_info.created_time_dt", Kind::Date, Index::Same, "CreatedAt"},
    {"finding_info.first_seen_time_dt", Kind::Date, Index::Same, "FirstObservedAt"},
    {"finding_info.last_seen_time_dt", Kind::Date, Index::Same, "LastObservedAt"},
    {"finding_info.modified_time_dt", Kind::Date, Index::Same, "UpdatedAt"},
    {"resources.image.created_time_dt", Kind::Date},
    {"resources.image.last_used_time_dt", Kind::Date},
    {"resources.modified_time_dt", Kind::Date},
    {"compliance.assessments.meets_criteria", Kind::Boolean},
    {"vulnerabilities.is_exploit_available", Kind::Boolean},
    {"vulnerabilities.is_fix_available", Kind::Boolean},
    {"activity_id", Kind::Number, Index::Activity},
    {"compliance.status_id", Kind::Number, Index::Compliance, "ComplianceStatus", nullptr, true},
    {"confidence_score", Kind::Number, Index::Same, "Confidence"},
    {"severity_id", Kind::Number, Index::Severity, "SeverityLabel", nullptr, true},
    {"status_id", Kind::Number, Index::Status, "WorkflowStatus", nullptr, true},
    {"vendor_attributes.severity_id", Kind::Number, Index::ProviderSeverity, "FindingProviderFieldsSeverityLabel"},
    {"finding_info.related_events_count", Kind::Number},
    {"evidences.api.response.code", Kind::Number},
    {"evidences.dst_endpoint.autonomous_system.number", Kind::Number},
    {"evidences.dst_endpoint.port", Kind::Number},
    {"evidences.src_endpoint.autonomous_system.number", Kind::Number},
    {"evidences.src_endpoint.port", Kind::Number},
    {"resources.image.in_use_count", Kind::Number},
    {"vulnerabilities.cve.cvss.base_score", Kind::Number},
    {"resources.tags", Kind::Map, Index::Same, "ResourceTags"},
    {"compliance.control_parameters", Kind::Map},
    {"databucket.tags", Kind::Map},
    {"finding_info.tags", Kind::Map},
    {"evidences.dst_endpoint.ip", Kind::Ip},
    {"evidences.src_endpoint.ip", Kind::Ip},
};

FieldRule::Kind test_kind(Kind kind) {
  switch (kind) {
    case Kind::Text: return FieldRule::Kind::Text;
    case Kind::Number: return FieldRule::Kind::Number;
    case Kind::Date: return FieldRule::Kind::Date;
    case Kind::Boolean: return FieldRule::Kind::Boolean;
    case Kind::Map: return FieldRule::Kind::Map;
    case Kind::Ip: return FieldRule::Kind::Ip;
  }
  return FieldRule::Kind::Text;
}

std::span<const OcsfName> names_of(Index index) {
  if (index == Index::Status) return ocsf_statuses();
  if (index == Index::Compliance) return ocsf_compliances();
  return ocsf_severities();
}

// A test, its NOT left aside.
bool holds(Kind kind, const Test& test, std::int64_t id, std::string_view caption) {
  if (kind == Kind::Text) return test.holds(caption);
  return static_cast<double>(id) >= test.low && static_cast<double>(id) <= test.high;
}

// A list of names and values, as OCSF has maps: the value or values of the test's key.
bool pair_holds(const Test& test, const Value& pair) {
  if (pair["name"].string_or("") != test.key) return false;
  if (pair["value"].is_string() && test.holds(pair["value"].as_string())) return true;
  for (std::size_t i = 0; i < pair["values"].size(); ++i)
    if (pair["values"][i].is_string() && test.holds(pair["values"][i].as_string())) return true;
  return false;
}

constexpr struct {
  const char* member;
  Kind kind;
} filter_lists[] = {{"StringFilters", Kind::Text},   {"DateFilters", Kind::Date}, {"BooleanFilters", Kind::Boolean},
                    {"NumberFilters", Kind::Number}, {"MapFilters", Kind::Map},   {"IpFilters", Kind::Ip}};

Error bad(const std::string& where, const std::string& message) {
  return errors::validation("Filters." + where + " " + message, "Filters." + where);
}

}  // namespace

const OcsfField* find_ocsf_field(std::string_view name, Kind kind) {
  const auto* found = std::find_if(std::begin(fields), std::end(fields),
                                   [&](const OcsfField& field) { return field.name == name && field.kind == kind; });
  return found == std::end(fields) ? nullptr : found;
}

const OcsfField* find_ocsf_field(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(fields), std::end(fields), [&](const OcsfField& field) { return field.name == name; });
  return found == std::end(fields) ? nullptr : found;
}

struct OcsfFilters::Compiler {
  TimeMs now_ms;

  Result<bool> is_or(const std::string& where, const Value& given) const {
    if (given.is_null()) return false;
    const std::string_view text = given.string_or("");
    if (text == "AND" || text == "OR") return text == "OR";
    return fail(bad(where, "has to be AND or OR"));
  }

  Result<Leaf> leaf(const std::string& where, const Value& form, Kind kind) const {
    if (!form.is_object()) return fail(bad(where, "has to be an object, not " + std::string(json::kind_name(form))));
    const std::string_view name = form["FieldName"].string_or("");
    Leaf leaf;
    leaf.field = find_ocsf_field(name, kind);
    if (leaf.field == nullptr) {
      const OcsfField* other = find_ocsf_field(name);
      return fail(
          bad(where + ".FieldName", (name.empty() ? "is missing" : "is " + shown(name)) +
                                        (other == nullptr ? "; the model's enumeration lists the fields that there are"
                                                          : ", which is a field of another kind of filter")));
    }
    auto test = Filters::compile_test(test_kind(kind), where + ".Filter", form["Filter"], now_ms);
    if (!test) return fail(errors::validation(test.error().message, test.error().where));
    leaf.test = std::move(*test);
    return leaf;
  }

  Result<Node> composite(const std::string& where, const Value& form, bool nested) const {
    if (!form.is_object()) return fail(bad(where, "has to be an object, not " + std::string(json::kind_name(form))));
    Node node;
    FIXPOINT_TRY(any, is_or(where + ".Operator", form["Operator"]));
    node.any = any;
    for (const auto& [member, kind] : filter_lists) {
      const Value& list = form[member];
      if (list.is_null()) continue;
      const std::string here = where + "." + member;
      if (!list.is_array()) return fail(bad(here, "has to be an array, not " + std::string(json::kind_name(list))));
      if (list.size() > most_filters)
        return fail(bad(here, "has " + std::to_string(list.size()) + " filters; at most 20 are taken"));
      for (std::size_t i = 0; i < list.size(); ++i) {
        FIXPOINT_TRY(made, leaf(here + "[" + std::to_string(i) + "]", list[i], kind));
        node.leaves.push_back(std::move(made));
      }
    }
    if (const Value& inner = form["NestedCompositeFilters"]; inner.size() > 0) {
      if (nested)
        return fail(bad(where + ".NestedCompositeFilters", "stands within nested filters, which hold no others"));
      FIXPOINT_CHECK(composites(where + ".NestedCompositeFilters", inner, true, node));
    }
    if (node.leaves.empty() && node.nodes.empty()) return fail(bad(where, "has no filter"));
    return node;
  }

  Result<void> composites(const std::string& where, const Value& list, bool nested, Node& into) const {
    if (!list.is_array()) return fail(bad(where, "has to be an array, not " + std::string(json::kind_name(list))));
    if (list.size() > most_composites)
      return fail(bad(where, "has " + std::to_string(list.size()) + " composite filters; at most 10 are taken"));
    for (std::size_t i = 0; i < list.size(); ++i) {
      FIXPOINT_TRY(node, composite(where + "[" + std::to_string(i) + "]", list[i], nested));
      into.nodes.push_back(std::move(node));
    }
    return {};
  }
};

Result<OcsfFilters> OcsfFilters::compile(const Value& filters, TimeMs now_ms) {
  OcsfFilters out;
  if (filters.is_null()) return out;
  if (!filters.is_object())
    return fail(
        errors::validation("Filters has to be an object, not " + std::string(json::kind_name(filters)), "Filters"));
  out.asked_ = json::print_canonical(filters);
  const Compiler compiler{now_ms};
  FIXPOINT_TRY(any, compiler.is_or("CompositeOperator", filters["CompositeOperator"]));
  out.root_.any = any;
  if (const Value& list = filters["CompositeFilters"]; !list.is_null())
    FIXPOINT_CHECK(compiler.composites("CompositeFilters", list, false, out.root_));
  return out;
}

bool OcsfFilters::Leaf::matches(const Value& ocsf) const {
  const auto path = split(field->name, '.');
  if (field->kind == Kind::Date) {
    // As a finding's own times are read, by the number beside the text.
    const std::string name(path.back().substr(0, path.back().size() - 3));
    return any_value_at(ocsf, std::span(path).first(path.size() - 1), [&](const Value& object) {
      const auto time = ocsf_time(object, name);
      return time && static_cast<double>(*time) >= test.low && static_cast<double>(*time) <= test.high;
    });
  }
  const bool any = any_value_at(ocsf, path, [&](const Value& value) {
    return field->kind == Kind::Map ? pair_holds(test, value) : test.fits(test_kind(field->kind), value);
  });
  return any != test.is_negative();
}

bool OcsfFilters::Node::matches(const Value& ocsf) const {
  if (leaves.empty() && nodes.empty()) return true;
  const auto fits = [&](const auto& part) { return part.matches(ocsf); };
  if (any) return std::any_of(leaves.begin(), leaves.end(), fits) || std::any_of(nodes.begin(), nodes.end(), fits);
  return std::all_of(leaves.begin(), leaves.end(), fits) && std::all_of(nodes.begin(), nodes.end(), fits);
}

bool OcsfFilters::matches(const Value& ocsf) const {
  return root_.matches(ocsf);
}

// Asks the index. Of a finding that came in OCSF the index knows what the finding format has of it, which need not be
// what its own document says: such findings are never sure.
struct OcsfFilters::Asker {
  store::Session& session;
  Search& search;
  const FindUid& find_uid;
  Bits all = {};
  Bits originals = {};  // those that came in OCSF
  IndexReader index{session};

  static Bits without(Bits from, const Bits& what) {
    from -= what;
    return from;
  }
  static Bits both(Bits from, const Bits& what) {
    from &= what;
    return from;
  }

  PossibleFindings nobody_knows() const { return {{}, all}; }

  // `fit` is right for findings that came in the finding format; of the others `may` fit.
  PossibleFindings known(Bits fit, const Bits& may) const {
    PossibleFindings out;
    out.sure = without(std::move(fit), originals);
    out.maybe = out.sure;
    out.maybe |= both(originals, may);
    return out;
  }

  Result<Bits> having(std::string_view filter, std::string_view value) {
    Bits bits;
    FIXPOINT_CHECK(index.add_value(bits, find_field(filter)->code, term_of(value)));
    return bits;
  }

  // An enumeration: the findings of each asff value whose number or caption passes the test, its NOT included.
  Result<PossibleFindings> of_names(const Leaf& leaf) {
    Bits fit, may, valued;
    for (const OcsfName& name : names_of(leaf.field->index)) {
      const bool first = name_of(names_of(leaf.field->index), name.asff) == &name;
      FIXPOINT_TRY(having_it, of_name(leaf.field, name.asff));
      valued |= having_it;
      // The caption of 99 is whatever the source says.
      const bool open = name.id == 99 && leaf.field->kind == Kind::Text;
      const bool passes = holds(leaf.field->kind, leaf.test, name.id, name.caption) != leaf.test.is_negative();
      if (passes && first) fit |= having_it;
      if (!passes && !open) continue;
      may |= having_it;
      // A tool's own document may be closed and yet New.
      if (leaf.field->index == Index::Status && name.asff == "NEW") {
        FIXPOINT_TRY(closed, of_name(leaf.field, "ARCHIVED"));
        may |= closed;
      }
    }
    // Who has no value does not have the one that it must not be.
    const Bits bare = without(all, valued);
    if (leaf.test.is_negative()) fit |= bare;
    may |= bare;
    return known(std::move(fit), leaf.field->kept ? may : all);
  }

  Result<Bits> of_name(const OcsfField* field, std::string_view asff) {
    if (field->index != Index::Status) return having(field->asff, asff);
    FIXPOINT_TRY(workflow, having("WorkflowStatus", asff == "ARCHIVED" ? "NEW" : asff));
    if (asff != "ARCHIVED" && asff != "NEW") return workflow;
    FIXPOINT_TRY(archived, having("RecordState", "ARCHIVED"));
    return asff == "NEW" ? without(std::move(workflow), archived) : both(std::move(workflow), archived);
  }

  // Whether a finding was made or updated its times say, which no set does.
  Result<PossibleFindings> of_activity(const Leaf& leaf) {
    const auto passes = [&](std::int64_t id, const char* name) {
      return holds(leaf.field->kind, leaf.test, id, name) != leaf.test.is_negative();
    };
    if (passes(1, "Create") != passes(2, "Update")) return nobody_knows();
    FIXPOINT_TRY(closed, having("RecordState", "ARCHIVED"));
    Bits fit;
    if (passes(1, "Create")) fit |= without(all, closed);
    if (passes(3, "Close")) fit |= closed;
    return known(std::move(fit), all);
  }

  Result<PossibleFindings> of_uid(const Leaf& leaf) {
    if (leaf.test.comparison != Filters::Comparison::Equals) return nobody_knows();
    FIXPOINT_TRY(number, find_uid(leaf.test.value));
    PossibleFindings out;
    if (number) out.maybe.add(*number);
    return out;
  }

  Result<PossibleFindings> of_derived(const Leaf& leaf) {
    Bits holding;
    FIXPOINT_TRY(said,
                 index.add_values(holding, find_field(leaf.field->asff)->code, "", true,
                                  [&](std::string_view term) { return leaf.test.holds(leaf.field->rewrite(term)); }));
    if (!said) return nobody_knows();
    return known(leaf.test.is_negative() ? without(all, holding) : std::move(holding), all);
  }

  Result<PossibleFindings> of_same(const Leaf& leaf) {
    Filters::Field field;
    field.rule = find_field(leaf.field->asff);
    field.tests.push_back(leaf.test);
    Bits fit = all;
    FIXPOINT_TRY(said, search.narrow(field, fit));
    if (!said) return nobody_knows();
    const Bits may = leaf.field->kept ? fit : all;
    return known(std::move(fit), may);
  }

  Result<PossibleFindings> ask(const Leaf& leaf) {
    switch (leaf.field->index) {
      case Index::None: return nobody_knows();
      case Index::Same: return of_same(leaf);
      case Index::Derived: return of_derived(leaf);
      case Index::Severity:
      case Index::ProviderSeverity:
      case Index::Status:
      case Index::Compliance: return of_names(leaf);
      case Index::Activity: return of_activity(leaf);
      case Index::Uid: return of_uid(leaf);
    }
    return nobody_knows();
  }

  Result<PossibleFindings> ask(const Node& node) {
    if (node.leaves.empty() && node.nodes.empty()) return PossibleFindings{all, all};
    PossibleFindings out;
    if (!node.any) out = {all, all};
    const auto join = [&](const PossibleFindings& part) {
      if (node.any) {
        out.sure |= part.sure;
        out.maybe |= part.maybe;
      } else {
        out.sure &= part.sure;
        out.maybe &= part.maybe;
      }
    };
    for (const Leaf& leaf : node.leaves) {
      FIXPOINT_TRY(part, ask(leaf));
      join(part);
    }
    for (const Node& inner : node.nodes) {
      FIXPOINT_TRY(part, ask(inner));
      join(part);
    }
    return out;
  }
};

Result<PossibleFindings> OcsfFilters::possible(store::Session& session, Search& search, const FindUid& find_uid) const {
  Asker asker{session, search, find_uid};
  FIXPOINT_TRY(all, asker.index.all());
  asker.all = std::move(all);
  FIXPOINT_CHECK(asker.index.add_value(asker.originals, ocsf_code, ""));
  FIXPOINT_TRY(possible, asker.ask(root_));
  possible.originals = std::move(asker.originals);
  return std::move(possible);
}

Result<std::vector<SortKey>> ocsf_sort_keys(const Value& criteria) {
  static constexpr struct {
    std::string_view ocsf, asff;
  } known[] = {{"severity", "SeverityNormalized"},
               {"severity_id", "SeverityNormalized"},
               {"finding_info.created_time", "CreatedAt"},
               {"finding_info.created_time_dt", "CreatedAt"},
               {"finding_info.modified_time", "UpdatedAt"},
               {"finding_info.modified_time_dt", "UpdatedAt"},
               {"finding_info.first_seen_time", "FirstObservedAt"},
               {"finding_info.first_seen_time_dt", "FirstObservedAt"},
               {"finding_info.last_seen_time", "LastObservedAt"},
               {"finding_info.last_seen_time_dt", "LastObservedAt"},
               {"time", "UpdatedAt"},
               {"time_dt", "UpdatedAt"},
               {"confidence_score", "Confidence"},
               {"cloud.account.uid", "AwsAccountId"},
               {"cloud.region", "Region"},
               {"compliance.control", "ComplianceSecurityControlId"},
               {"compliance.status", "ComplianceStatus"},
               {"finding_info.title", "Title"},
               {"finding_info.uid", "Id"},
               {"metadata.product.uid", "ProductArn"},
               {"resources.type", "ResourceType"},
               {"resources.uid", "ResourceId"},
               {"status", "WorkflowStatus"}};
  std::vector<SortKey> keys;
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    const std::string where = "SortCriteria[" + std::to_string(i) + "]";
    const std::string_view name = criteria[i]["Field"].string_or("");
    const auto* found =
        std::find_if(std::begin(known), std::end(known), [&](const auto& one) { return one.ocsf == name; });
    if (found == std::end(known)) {
      std::string list;
      for (const auto& one : known) list += (list.empty() ? "" : ", ") + std::string(one.ocsf);
      return fail(errors::validation(where + ".Field is " + shown(name) + "; findings are sorted by " + list,
                                     where + ".Field"));
    }
    const std::string_view direction =
        criteria[i]["SortOrder"].string_or(criteria[i]["SortOrder"].is_null() ? "asc" : "");
    if (direction != "asc" && direction != "desc")
      return fail(errors::validation(where + ".SortOrder has to be asc or desc", where + ".SortOrder"));
    keys.push_back({std::string(found->asff), direction == "desc"});
  }
  return keys;
}

}  // namespace fixpoint::findings
