#include "sandbox/ec2.h"

#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace ec2 {
namespace {

Operations::Function with_dry_run(Operations::Function run) {
  return [run = std::move(run)](Request& request) -> Reply {
    auto answer = run(request);
    if (answer && request.input["DryRun"].bool_or(false))
      return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
    return answer;
  };
}

// The same call under the same token is answered as it was, and does nothing again.
// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
Operations::Function once_a_token(std::string_view name, Operations::Function run) {
  return [name = std::string(name), run = std::move(run)](Request& request) -> Reply {
    const std::string token(request.text("ClientToken"));
    if (token.empty()) return run(request);
    const std::string id = name + "/" + token;
    const std::string digest = sha256_hex(json::print_canonical(request.input));
    if (const Document before = request.state.get(scope(request, "client-token"), id)) {
      if ((*before)["Input"].string_or({}) == digest) return (*before)["Answer"];
      return refuse("IdempotentParameterMismatch",
                    "The request uses the same client token as a previous, but non-identical request. Do not reuse a "
                    "client token with different requests, unless the requests are identical");
    }
    auto answer = run(request);
    if (answer)
      request.state.put(scope(request, "client-token"), id, json::Object{{"Input", digest}, {"Answer", *answer}});
    return answer;
  };
}

bool tag_passes(std::string_view name, const json::Value& values, const json::Value& tags) {
  const auto any = [&](std::string_view text) {
    return std::any_of(values.as_array().begin(), values.as_array().end(),
                       [&](const json::Value& pattern) { return matches_pattern(pattern.string_or({}), text); });
  };
  if (!tags.is_array()) return false;
  return std::any_of(tags.as_array().begin(), tags.as_array().end(), [&](const json::Value& tag) {
    if (name == "tag-key") return any(tag["Key"].string_or({}));
    if (name == "tag-value") return any(tag["Value"].string_or({}));
    return tag["Key"].string_or({}) == name.substr(4) && any(tag["Value"].string_or({}));
  });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

}  // namespace

Scope scope(const Request& request, std::string_view type) {
  return request.regional("ec2", type);
}

void Table::reads(std::string_view name, Operations::Function run) {
  rows_.reads(name, with_dry_run(std::move(run)));
}

void Table::changes(std::string_view name, Operations::Function run) {
  rows_.changes(name, with_dry_run(once_a_token(name, std::move(run))));
}

tl::unexpected<Error> refuse(std::string code, std::string message, int status) {
  return fail(errors::coded(std::move(code), std::move(message), status));
}

bool is_id(std::string_view text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return (text.size() == 8 || text.size() == 17) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string new_id(std::string_view prefix) {
  return std::string(prefix) + "0" + random_hex(16);
}

std::string zone_id(std::string_view zone) {
  if (zone.empty()) return {};
  std::string out;
  const std::vector<std::string_view> parts = split(zone.substr(0, zone.size() - 1), '-');
  for (const std::string_view part : parts) {
    if (part == parts.front()) {
      out += part;
      continue;
    }
    out += part.substr(0, 1);
    // northeast: ne
    for (const std::string_view second : {"east", "west"})
      if (part.size() > second.size() && part.ends_with(second)) out += second.front();
  }
  return out + "-az" + std::to_string(zone.back() - 'a' + 1);
}

std::optional<std::string> zone_in(const Request& request) {
  const std::string_view name = request.text("AvailabilityZone");
  const std::string_view id = request.text("AvailabilityZoneId");
  for (char letter = 'a'; letter <= 'f'; ++letter) {
    std::string zone = request.context.region + letter;
    if (!name.empty() ? zone == name : id.empty() || zone_id(zone) == id) return zone;
  }
  return {};
}

// Two cursors with a step back to the last `*`: linear but for the product of both lengths in the worst case.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const bool fits =
        p < pattern.size() && (escaped ? pattern[p + 1] == text[t] : pattern[p] == '?' || pattern[p] == text[t]);
    if (fits) {
      p += escaped ? 2 : 1;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<bool> passes(const json::Value& filters, const json::Value& it, const FilterValues& values) {
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
  constexpr std::size_t filters_a_call = 50;
  constexpr std::size_t values_a_filter = 200;
  const auto too_many = [] {
    return refuse("FilterLimitExceeded",
                  "The request uses too many filters or too many filter values: up to 50 filters with up to 200 values "
                  "each");
  };
  if (filters.size() > filters_a_call) return too_many();
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const std::string_view name = filters[i]["Name"].string_or({});
    const json::Value& wanted = filters[i]["Values"];
    if (wanted.size() > values_a_filter) return too_many();
    if (!wanted.is_array())
      return refuse("InvalidParameterValue", "The filter '" + std::string(name) + "' has no values");
    if (name == "tag-key" || name == "tag-value" || name.substr(0, 4) == "tag:") {
      if (!tag_passes(name, wanted, it["Tags"])) return false;
      continue;
    }
    const auto there = values(name, it);
    if (!there) return refuse("InvalidParameterValue", "The filter '" + std::string(name) + "' is invalid");
    const bool fits = std::any_of(there->begin(), there->end(), [&](const std::string& text) {
      return std::any_of(wanted.as_array().begin(), wanted.as_array().end(),
                         [&](const json::Value& pattern) { return matches_pattern(pattern.string_or({}), text); });
    });
    if (!fits) return false;
  }
  return true;
}

// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups: 5, and no account
// has more than 16.
Result<void> check_group_count(std::size_t groups) {
  if (groups > 16)
    return refuse("SecurityGroupsPerInstanceLimitExceeded",
                  "The maximum number of security groups per network interface has been reached.");
  return {};
}

std::optional<std::vector<std::string>> filter_members(
    std::string_view name, const json::Value& it,
    std::initializer_list<std::pair<std::string_view, std::string_view>> table) {
  for (const auto& [filter, member] : table) {
    if (name != filter) continue;
    const json::Value& value = it[member];
    if (value.is_bool()) return std::vector<std::string>{value.as_bool() ? "true" : "false"};
    if (value.is_number()) return std::vector<std::string>{value.number_text()};
    return std::vector<std::string>{std::string(value.string_or({}))};
  }
  return {};
}

Result<Document> resource_of(Request& request, std::string_view type, std::string_view member, std::string_view prefix,
                             std::string_view missing, std::string_view malformed, std::string_view noun) {
  const std::string id(request.text(member));
  if (!is_id(id, prefix))
    return refuse(std::string(malformed), "Invalid id: \"" + id + "\" (expecting \"" + std::string(prefix) + "...\")");
  Document found = request.state.get(scope(request, type), id);
  if (!found) return refuse(std::string(missing), "The " + std::string(noun) + " '" + id + "' does not exist");
  return found;
}

Reply describe(Request& request, const Describe& how) {
  const json::Value& ids = request.input[how.ids];
  const json::Value& filters = request.input[how.filters_member];
  const Scope place = scope(request, how.type);
  // An unknown filter is refused also where there is nothing to filter.
  FIXPOINT_CHECK(passes(filters, json::Object(), how.filters));
  json::Array items;
  const auto take = [&](const json::Value& body) -> Result<void> {
    FIXPOINT_TRY(fits, passes(filters, body, how.filters));
    if (fits) items.push_back(how.show ? how.show(body) : body);
    return {};
  };
  std::string next;
  if (ids.size() > 0) {
    std::vector<std::string> missing;
    for (const json::Value& item : ids.as_array()) {
      const std::string id(item.string_or({}));
      if (!is_id(id, how.id_prefix))
        return refuse(std::string(how.malformed_code),
                      "Invalid id: \"" + id + "\" (expecting \"" + std::string(how.id_prefix) + "...\")");
      if (const Document body = request.state.get(place, id)) {
        FIXPOINT_CHECK(take(*body));
      } else {
        missing.push_back(id);
      }
    }
    if (!missing.empty())
      return refuse(std::string(how.missing_code), "The " + std::string(how.noun) +
                                                       (missing.size() > 1 ? "s '" : " '") + joined(missing) +
                                                       (missing.size() > 1 ? "' do not exist" : "' does not exist"));
  } else {
    const std::int64_t most = request.input["MaxResults"].int_or(INT64_MAX);
    FIXPOINT_TRY(after, page_position(request.text("NextToken"), "InvalidNextToken",
                                      "The token '" + std::string(request.text("NextToken")) + "' is invalid"));
    Result<void> taken;
    std::string last;
    request.state.each(place, {}, after, [&](std::string_view id, const Document& body) {
      if (!body) return true;
      const std::size_t before = items.size();
      taken = take(*body);
      if (!taken) return false;
      if (static_cast<std::int64_t>(items.size()) > most) {
        items.pop_back();
        next = page_token(last);
        return false;
      }
      if (items.size() > before) last = id;
      return true;
    });
    FIXPOINT_CHECK(taken);
  }
  json::Object out;
  out.append(std::string(how.into), std::move(items));
  if (!next.empty()) out.set("NextToken", next);
  return out;
}

}  // namespace ec2

void add_ec2(Services& services) {
  ec2::Table table(services);
  ec2::add_network(table);
  ec2::add_security_groups(table);
  ec2::add_rules(table);
  ec2::add_tags(table);
  ec2::add_storage(table);
  ec2::add_instances(table);
  ec2::add_launch(table);
  ec2::add_instance_attributes(table);
  ec2::add_gateways(table);
  ec2::add_acls(table);
  ec2::add_addresses(table);
  ec2::add_images(table);
}

}  // namespace fixpoint::sandbox
