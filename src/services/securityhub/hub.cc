#include "services/securityhub/hub.h"

#include <algorithm>

#include "base/arn.h"
#include "base/text.h"
#include "findings/products.h"

namespace fixpoint::services::hub {
namespace {

using findings::Product;
using json::Value;

constexpr const char* hub_id = "default";
constexpr const char* product_kind = "product-subscription";
constexpr const char* store_kind = "store";  // of no account

Error off(const aws::Caller& caller) {
  return errors::coded("InvalidAccessException", "Account " + caller.account + " is not subscribed to AWS Security Hub",
                       401);
}

std::string time_text(TimeMs at) {
  return format_iso8601_ms(at);
}

// By its form: us-east-1, us-gov-west-1, ap-southeast-2.
bool is_region(std::string_view text) {
  const auto parts = split(text, '-');
  const auto of = [](std::string_view part, std::string_view characters) {
    return !part.empty() && part.find_first_not_of(characters) == std::string_view::npos;
  };
  return parts.size() >= 3 && parts.size() <= 4 && of(parts.back(), "0123456789") &&
         std::all_of(parts.begin(), parts.end() - 1,
                     [&](std::string_view part) { return of(part, "abcdefghijklmnopqrstuvwxyz"); });
}

std::string product_arn(const aws::Caller& caller, std::string_view path) {
  return "arn:" + caller.partition + ":securityhub:" + caller.region + "::product/" + std::string(path);
}

}  // namespace

Result<void> Hub::load() {
  return records_.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(there, records_.get(tx, store_kind, {}, hub_id));
    return there ? Result<void>() : records_.put(tx, store_kind, {}, hub_id, json::Object());
  });
}

Result<Value> Hub::settings(store::Session& session, const aws::Caller& caller) {
  FIXPOINT_TRY(found, records_.get(session, hub_kind, caller, hub_id));
  if (found) return std::move(found->body);
  return Value(json::Object{{"On", true},
                            {"SubscribedAt", ""},
                            {"AutoEnableControls", true},
                            {"ControlFindingGenerator", "SECURITY_CONTROL"}});
}

Result<bool> Hub::is_off(const aws::Caller& caller) {
  if (looked_ && !any_off_) return false;
  return records_.store().read([&](store::Session& session) -> Result<bool> {
    if (!looked_) {
      FIXPOINT_TRY(rows, session.query("SELECT 1 FROM hub_record WHERE kind = 'hub' AND body LIKE '%\"On\":false%'"));
      any_off_ = !rows.empty();
      looked_ = true;
      if (!any_off_) return false;
    }
    FIXPOINT_TRY(now, settings(session, caller));
    return !now["On"].bool_or(true);
  });
}

void Hub::guard(aws::ServiceTable& table) {
  for (auto& [name, operation] : table.operations) {
    if (name == "EnableSecurityHub" || name.ends_with("V2") || !operation.function) continue;
    operation.function = [this, inner = std::move(operation.function)](const aws::Caller& caller,
                                                                       const Value& input) -> Result<Value> {
      FIXPOINT_TRY(is, is_off(caller));
      if (is) return fail(off(caller));
      return inner(caller, input);
    };
  }
}

void Hub::add_to(aws::ServiceTable& table, Standards& standards) {
  table.add("EnableSecurityHub", [this, &standards](const aws::Caller& caller, const Value& input) -> Result<Value> {
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(now, settings(tx, caller));
      if (now["On"].bool_or(true))
        return fail(errors::coded("ResourceConflictException", "Account is already subscribed to Security Hub", 409));
      now.set("On", true);
      tx.changes_kept();
      now.set("SubscribedAt", time_text(records_.clock().now_ms()));
      if (const Value* generator = input.find("ControlFindingGenerator"))
        now.set("ControlFindingGenerator", *generator);
      FIXPOINT_CHECK(records_.put(tx, hub_kind, caller, hub_id, now));
      FIXPOINT_CHECK(hub::add_tags(records_, tx, caller, hub_arn(caller, "hub/default"), input["Tags"]));
      // "If you don't provide a value for EnableDefaultStandards, it is set to true." (API_EnableSecurityHub)
      if (input["EnableDefaultStandards"].bool_or(true)) FIXPOINT_CHECK(standards.enable_defaults(tx, caller));
      return Value(json::Object());
    });
  });
  table.add("DisableSecurityHub", [this](const aws::Caller& caller, const Value&) -> Result<Value> {
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(now, settings(tx, caller));
      now.set("On", false);
      FIXPOINT_CHECK(records_.put(tx, hub_kind, caller, hub_id, now));
      any_off_ = looked_ = true;
      tx.changes_kept();
      return Value(json::Object());
    });
  });
  table.add_quick("DescribeHub", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn = hub_arn(caller, "hub/default");
    if (const std::string_view asked = input["HubArn"].string_or(""); !asked.empty() && asked != arn)
      return fail(errors::resource_not_found("no hub has the ARN '" + std::string(asked) + "'", "HubArn"));
    return records_.store().read([&](store::Session& session) -> Result<Value> {
      FIXPOINT_TRY(now, settings(session, caller));
      Value since = now["SubscribedAt"];
      if (since.string_or("").empty()) {
        FIXPOINT_TRY(made, records_.get(session, store_kind, {}, hub_id));
        since = made ? Value(time_text(made->made_ms)) : Value();
      }
      json::Object out{{"HubArn", arn},
                       {"AutoEnableControls", now["AutoEnableControls"]},
                       {"ControlFindingGenerator", now["ControlFindingGenerator"]}};
      if (!since.is_null()) out.set("SubscribedAt", std::move(since));
      return Value(std::move(out));
    });
  });
  table.add("UpdateSecurityHubConfiguration", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    if (input.size() == 0)
      return fail(errors::invalid_input("AutoEnableControls or ControlFindingGenerator has to be given"));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(now, settings(tx, caller));
      for (const auto* member : {"AutoEnableControls", "ControlFindingGenerator"})
        if (const Value* value = input.find(member)) now.set(member, *value);
      FIXPOINT_CHECK(records_.put(tx, hub_kind, caller, hub_id, now));
      return Value(json::Object());
    });
  });
  add_members(table);
  add_products(table);
  add_aggregators(table);
  add_tags(table);
}

void Hub::add_members(aws::ServiceTable& table) {
  const auto is_account = [](std::string_view text) {
    return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const auto shown = [](const aws::Caller& caller, const Record& record) {
    json::Object out{{"AccountId", record.id},
                     {"MasterId", caller.account},
                     {"AdministratorId", caller.account},
                     {"MemberStatus", record.body["MemberStatus"]},
                     {"UpdatedAt", static_cast<double>(record.changed_ms) / 1000}};
    if (!record.body["Email"].is_null()) out.set("Email", record.body["Email"]);
    return Value(std::move(out));
  };
  const auto unprocessed = [](const std::string& account, const std::string& why) {
    return Value(json::Object{{"AccountId", account}, {"ProcessingResult", why}});
  };
  table.add("CreateMembers", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "AccountDetails"));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      json::Array failed;
      for (const Value& one : input["AccountDetails"].as_array()) {
        const std::string account(one["AccountId"].string_or(""));
        if (!is_account(account) || account == caller.account) {
          failed.push_back(unprocessed(account, account == caller.account ? "an account is no member of itself"
                                                                          : "an account id has 12 digits"));
          continue;
        }
        FIXPOINT_CHECK(records_.put(tx, member_kind, caller, account,
                                    json::Object{{"Email", one["Email"]}, {"MemberStatus", "Created"}}));
      }
      tx.changes_kept();
      return Value(json::Object{{"UnprocessedAccounts", failed}});
    });
  });
  for (const bool deletes : {true, false})
    table.add(
        deletes ? "DeleteMembers" : "DisassociateMembers",
        [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
          FIXPOINT_CHECK(holds_some(input, "AccountIds"));
          return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
            json::Array failed;
            for (const Value& one : input["AccountIds"].as_array()) {
              const std::string account(one.string_or(""));
              FIXPOINT_TRY(found, records_.get(tx, member_kind, caller, account));
              if (!found) {
                if (!deletes)
                  return fail(errors::resource_not_found("the account '" + account + "' is no member", "AccountIds"));
                failed.push_back(unprocessed(account, "the account is no member"));
                continue;
              }
              if (deletes) {
                FIXPOINT_CHECK(records_.remove(tx, member_kind, caller, account));
              } else {
                found->body.set("MemberStatus", "Removed");
                FIXPOINT_CHECK(records_.put(tx, member_kind, caller, account, found->body));
              }
            }
            tx.changes_kept();
            return deletes ? Value(json::Object{{"UnprocessedAccounts", failed}}) : Value(json::Object());
          });
        });
  table.add_quick("GetMembers", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "AccountIds"));
    return records_.store().read([&](store::Session& session) -> Result<Value> {
      json::Array members, failed;
      for (const Value& one : input["AccountIds"].as_array()) {
        const std::string account(one.string_or(""));
        FIXPOINT_TRY(found, records_.get(session, member_kind, caller, account));
        if (found)
          members.push_back(shown(caller, *found));
        else
          failed.push_back(unprocessed(account, "the account is no member"));
      }
      return Value(json::Object{{"Members", members}, {"UnprocessedAccounts", failed}});
    });
  });
  table.add_quick("ListMembers", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(records, records_.store().read(
                              [&](store::Session& session) { return records_.list(session, member_kind, caller); }));
    const bool only_associated = input["OnlyAssociated"].bool_or(false);
    json::Array items;
    for (const Record& record : records)
      if (!only_associated || record.body["MemberStatus"].string_or("") != "Removed")
        items.push_back(shown(caller, record));
    return page_of(items, input, "Members", 50);
  });
}

void Hub::add_products(aws::ServiceTable& table) {
  const auto known = [](const aws::Caller& caller, std::string_view arn) -> const Product* {
    for (const Product& product : findings::products())
      if (product_arn(caller, product.path) == arn) return &product;
    return nullptr;
  };
  const auto not_known = [](const std::string& arn) {
    return errors::resource_not_found("no product has the ARN '" + arn + "'; DescribeProducts lists them",
                                      "ProductArn");
  };
  table.add_quick("DescribeProducts", [=](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string asked(input["ProductArn"].string_or(""));
    if (!asked.empty() && known(caller, asked) == nullptr) return fail(not_known(asked));
    json::Array items;
    for (const Product& product : findings::products()) {
      const std::string arn = product_arn(caller, product.path);
      if (!asked.empty() && asked != arn) continue;
      items.emplace_back(json::Object{{"ProductArn", arn},
                                      {"ProductName", product.name},
                                      {"CompanyName", product.company},
                                      {"Description", product.description},
                                      {"Categories", json::Array()},
                                      {"IntegrationTypes", json::Array{Value("SEND_FINDINGS_TO_SECURITY_HUB")}}});
    }
    return page_of(items, input, "Products");
  });
  // https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeProductsV2.html
  table.add_quick("DescribeProductsV2", [](const aws::Caller&, const Value& input) -> Result<Value> {
    json::Array items;
    for (const Product& product : findings::products())
      items.emplace_back(json::Object{{"ProductV2Name", product.name},
                                      {"CompanyName", product.company},
                                      {"Description", product.description},
                                      {"Categories", json::Array()},
                                      {"IntegrationV2Types", json::Array{Value("SEND_FINDINGS_TO_SECURITY_HUB")}}});
    auto page = page_of(items, input, "ProductsV2");
    if (!page) page.error().code = "ValidationException";
    return page;
  });
  table.add("EnableImportFindingsForProduct",
            [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
              const std::string arn(input["ProductArn"].string_or(""));
              const Product* product = known(caller, arn);
              if (product == nullptr) return fail(not_known(arn));
              const std::string subscription = hub_arn(caller, "product-subscription/" + std::string(product->path));
              return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
                FIXPOINT_TRY(there, records_.get(tx, product_kind, caller, subscription));
                if (there)
                  return fail(
                      errors::coded("ResourceConflictException", "findings of " + arn + " are taken in already", 409));
                FIXPOINT_CHECK(records_.put(tx, product_kind, caller, subscription, json::Object()));
                return Value(json::Object{{"ProductSubscriptionArn", subscription}});
              });
            });
  table.add("DisableImportFindingsForProduct", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["ProductSubscriptionArn"].string_or(""));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(removed, records_.remove(tx, product_kind, caller, arn));
      if (!removed)
        return fail(
            errors::resource_not_found("no product subscription has the ARN '" + arn + "'", "ProductSubscriptionArn"));
      return Value(json::Object());
    });
  });
  table.add_quick("ListEnabledProductsForImport",
                  [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
                    FIXPOINT_TRY(records, records_.store().read([&](store::Session& session) {
                      return records_.list(session, product_kind, caller);
                    }));
                    json::Array items;
                    for (const Record& record : records) items.emplace_back(record.id);
                    return page_of(items, input, "ProductSubscriptions");
                  });
}

void Hub::add_aggregators(aws::ServiceTable& table) {
  const auto shown = [](const aws::Caller& caller, const Record& record) {
    json::Object out{{"FindingAggregatorArn", record.id},
                     {"FindingAggregationRegion", caller.region},
                     {"RegionLinkingMode", record.body["RegionLinkingMode"]}};
    if (record.body["Regions"].size() > 0) out.set("Regions", record.body["Regions"]);
    return Value(std::move(out));
  };
  const auto check = [](const Value& input) -> Result<Value> {
    const std::string_view mode = input["RegionLinkingMode"].string_or("");
    const bool named = mode == "ALL_REGIONS_EXCEPT_SPECIFIED" || mode == "SPECIFIED_REGIONS";
    if (!named && mode != "ALL_REGIONS" && mode != "NO_REGIONS")
      return fail(errors::invalid_input("RegionLinkingMode is '" + std::string(mode) +
                                            "'; there are ALL_REGIONS, ALL_REGIONS_EXCEPT_SPECIFIED, SPECIFIED_REGIONS "
                                            "and NO_REGIONS",
                                        "RegionLinkingMode"));
    if (named != (input["Regions"].size() > 0))
      return fail(errors::invalid_input(
          named ? "the mode " + std::string(mode) + " wants Regions" : "Regions go with the modes that name some",
          "Regions"));
    for (std::size_t i = 0; i < input["Regions"].size(); ++i)
      if (const std::string_view region = input["Regions"][i].string_or(""); !is_region(region))
        return fail(errors::invalid_input(
            "Regions[" + std::to_string(i) + "] is '" + std::string(region) + "', which is no region such as us-east-1",
            "Regions"));
    return Value(json::Object{{"RegionLinkingMode", mode}, {"Regions", input["Regions"]}});
  };
  const auto none = [](const std::string& arn) {
    return errors::resource_not_found("no finding aggregator has the ARN '" + arn + "'", "FindingAggregatorArn");
  };
  table.add("CreateFindingAggregator", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(body, check(input));
    const std::string arn = hub_arn(caller, "finding-aggregator/" + caller.account);
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(there, records_.get(tx, aggregator_kind, caller, arn));
      if (there)
        return fail(
            errors::coded("LimitExceededException", "an account has one finding aggregator, and there is one", 429));
      FIXPOINT_CHECK(records_.put(tx, aggregator_kind, caller, arn, body));
      tx.changes_kept();
      return shown(caller, {arn, body});
    });
  });
  table.add("UpdateFindingAggregator", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(body, check(input));
    const std::string arn(input["FindingAggregatorArn"].string_or(""));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(there, records_.get(tx, aggregator_kind, caller, arn));
      if (!there) return fail(none(arn));
      FIXPOINT_CHECK(records_.put(tx, aggregator_kind, caller, arn, body));
      tx.changes_kept();
      return shown(caller, {arn, body});
    });
  });
  table.add("DeleteFindingAggregator", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["FindingAggregatorArn"].string_or(""));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(removed, records_.remove(tx, aggregator_kind, caller, arn));
      tx.changes_kept();
      if (!removed) return fail(none(arn));
      return Value(json::Object());
    });
  });
  table.add_quick("GetFindingAggregator", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["FindingAggregatorArn"].string_or(""));
    FIXPOINT_TRY(found, records_.store().read([&](store::Session& session) {
      return records_.get(session, aggregator_kind, caller, arn);
    }));
    if (!found) return fail(none(arn));
    return shown(caller, *found);
  });
  table.add_quick("ListFindingAggregators", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(records, records_.store().read([&](store::Session& session) {
      return records_.list(session, aggregator_kind, caller);
    }));
    json::Array items;
    for (const Record& record : records) items.emplace_back(json::Object{{"FindingAggregatorArn", record.id}});
    return page_of(items, input, "FindingAggregators");
  });
}

// Tags of the hub, of custom actions, automation rules and insights: whatever carries an ARN of this account's hub.
void Hub::add_tags(aws::ServiceTable& table) {
  const auto check = [](const aws::Caller& caller, const Value& input) -> Result<std::string> {
    std::string arn(input["ResourceArn"].string_or(""));
    if (!arn.starts_with(hub_arn(caller, "")) || arn == hub_arn(caller, ""))
      return fail(errors::resource_not_found("'" + arn.substr(0, 200) + "' is no resource of this account's hub",
                                             "ResourceArn"));
    return arn;
  };
  table.add("TagResource", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(arn, check(caller, input));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_CHECK(hub::add_tags(records_, tx, caller, arn, input["Tags"]));
      return Value(json::Object());
    });
  });
  table.add("UntagResource", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(arn, check(caller, input));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(found, records_.get(tx, tag_kind, caller, arn));
      if (!found) return Value(json::Object());
      for (const Value& key : input["TagKeys"].as_array()) found->body.as_object().erase(key.string_or(""));
      FIXPOINT_CHECK(records_.put(tx, tag_kind, caller, arn, found->body));
      return Value(json::Object());
    });
  });
  table.add_quick("ListTagsForResource", [=, this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(arn, check(caller, input));
    FIXPOINT_TRY(found, records_.store().read(
                            [&](store::Session& session) { return records_.get(session, tag_kind, caller, arn); }));
    return Value(json::Object{{"Tags", found ? std::move(found->body) : Value(json::Object())}});
  });
}

}  // namespace fixpoint::services::hub
