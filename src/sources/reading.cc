#include "sources/reading.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/arn.h"
#include "base/clock.h"
#include "base/text.h"
#include "findings/timestamp.h"
#include "json/text.h"

namespace fixpoint::sources {
namespace {

using json::Value;

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// 9999-12-31T23:59:59Z
constexpr double last_second = 253402300799.0;
constexpr std::int64_t last_account = 999'999'999'999;
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html and API_Resource.html
constexpr std::size_t most_tags = 50;
constexpr std::size_t most_fields = 50;
constexpr std::size_t longest_name = 128;

std::optional<int> number(std::string_view text, int least, int most) {
  if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  const int value = static_cast<int>(*to_int64(text));
  if (value < least || value > most) return {};
  return value;
}

// "Dec 3, 2021, 6:02:30 PM": what java.text.DateFormat writes for en_US, with a narrow no-break space before AM and PM
// since JDK 20 (https://bugs.openjdk.org/browse/JDK-8284840).
std::optional<TimeMs> java_time(std::string text) {
  text = replace_all(replace_all(std::move(text), "\u202f", " "), "\u00a0", " ");
  const auto parts = split(text, ' ');
  if (parts.size() != 5 || !parts[1].ends_with(',') || !parts[2].ends_with(',')) return {};
  int month = 0;
  for (std::size_t i = 0; i < months.size(); ++i)
    if (months[i] == parts[0]) month = static_cast<int>(i) + 1;
  const auto day = number(parts[1].substr(0, parts[1].size() - 1), 1, 31);
  const auto year = number(parts[2].substr(0, parts[2].size() - 1), 1970, 9999);
  const auto clock = split(parts[3], ':');
  if (month == 0 || !day || !year || clock.size() != 3 || (parts[4] != "AM" && parts[4] != "PM")) return {};
  const auto hour = number(clock[0], 1, 12);
  const auto minute = number(clock[1], 0, 59);
  const auto second = number(clock[2], 0, 59);
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || !hour || !minute || !second) return {};
  const TimeMs days = std::chrono::sys_days(date).time_since_epoch().count();
  const TimeMs hours = *hour % 12 + (parts[4] == "PM" ? 12 : 0);
  return (((days * 24 + hours) * 60 + *minute) * 60 + *second) * 1000;
}

}  // namespace

Result<std::string> time_of(const Item& item, const Value& value, const std::string& path) {
  if (value.is_null()) return fail(item.bad(path, "is missing"));
  if (value.is_number()) {
    const double seconds = value.as_double();
    if (!(seconds >= 0) || seconds > last_second)
      return fail(item.bad(path, "is " + value.number_text() + "; a number has to be seconds since 1970"));
    return format_iso8601_ms(static_cast<TimeMs>(std::llround(seconds * 1000)));
  }
  if (!value.is_string()) return fail(item.bad(path, "has to be a time, not " + std::string(json::kind_name(value))));
  const std::string& text = value.as_string();
  const auto parsed = findings::parse_timestamp(text);
  if (parsed) return text;
  if (const auto java = java_time(text)) {
    item.repaired("a time was written as 'Dec 3, 2021, 6:02:30 PM' is, and was taken as UTC");
    return format_iso8601_ms(*java);
  }
  if (findings::parse_timestamp(text + "Z")) {
    item.repaired("a time named no zone and was taken as UTC");
    return text + "Z";
  }
  return fail(item.bad(path, parsed.error().message));
}

Result<std::string> account_of(const Item& item, const Value& value, const std::string& path) {
  if (value.is_null()) return fail(item.bad(path, "is missing"));
  if (value.is_number()) {
    const auto account = value.as_int64();
    if (!account || *account < 1 || *account > last_account)
      return fail(item.bad(path, "is " + value.number_text() + "; an account id has 12 digits"));
    std::string digits = std::to_string(*account);
    const bool short_of = digits.size() < 12;
    digits.insert(0, 12 - digits.size(), '0');
    item.repaired("the account id was a number and was made a text" +
                  std::string(short_of ? " of 12 digits, with the zeros at its front that a number loses" : ""));
    return digits;
  }
  if (!value.is_string()) return fail(item.bad(path, "has to be a string, not " + std::string(json::kind_name(value))));
  const std::string& text = value.as_string();
  if (text.size() != 12 || text.find_first_not_of("0123456789") != std::string::npos)
    return fail(item.bad(path, "is '" + cut_characters(text, 80) + "'; an account id has 12 digits"));
  return text;
}

Result<std::string> text_of(const Item& item, const Value& value, const std::string& path) {
  if (value.is_null()) return fail(item.bad(path, "is missing"));
  if (!value.is_string()) return fail(item.bad(path, "has to be a string, not " + std::string(json::kind_name(value))));
  if (trim(value.as_string()).empty()) return fail(item.bad(path, "must not be empty"));
  return value.as_string();
}

std::string as_text(const Value& value) {
  return value.is_string() ? value.as_string() : json::print(value);
}

bool is_nothing(std::string_view text) {
  return text.empty() || text == "N/A" || text == "null" || text == "-";
}

bool says_sample(std::string_view additional_info) {
  if (additional_info.find("sample") == std::string_view::npos) return false;
  const auto info = json::parse(additional_info, {.depth = 20, .bytes = 64UL * 1024});
  return info && (*info)["sample"].bool_or(false);
}

Result<Home> home_of(const Item& item, const Value& account, const Value& region, const Value& partition) {
  Home home;
  const Value& their_account = account.is_null() ? item.event["account"] : account;
  if (their_account.is_null()) {
    home.account = item.caller.account;
    item.repaired("no account was named; " + home.account + ", who brings the findings, was taken");
  } else {
    FIXPOINT_TRY(read, account_of(item, their_account, "the account id"));
    home.account = read;
  }
  home.region = region.string_or("");
  if (is_nothing(home.region)) {
    home.region = item.event["region"].string_or("");
    if (!region.is_null()) item.repaired("the region said nothing and was taken from what is around it");
  }
  if (is_nothing(home.region)) {
    home.region = item.caller.region;
    item.repaired("no region was named; " + home.region + ", from where the findings are brought, was taken");
  }
  home.partition = partition.string_or("");
  if (is_nothing(home.partition)) home.partition = partition_of_region(home.region);
  if (home.partition != partition_of_region(home.region))
    return fail(item.bad("partition", "is '" + cut_characters(home.partition, 80) + "'; the region " +
                                          cut_characters(home.region, 80) + " lies in the partition " +
                                          std::string(partition_of_region(home.region))));
  return home;
}

Value finding_of(const Product& product, const Home& home, const std::string& id, const std::string& generator,
                 std::string_view title, std::string_view description) {
  const std::string arn =
      "arn:" + home.partition + ":securityhub:" + home.region + "::product/aws/" + std::string(product.name);
  return json::Object{{"SchemaVersion", "2018-10-08"},
                      {"Id", id},
                      {"ProductArn", arn},
                      {"ProductName", product.title},
                      {"CompanyName", product.company},
                      {"Region", home.region},
                      {"GeneratorId", generator},
                      {"AwsAccountId", home.account},
                      {"Title", cut_characters(title, 256)},
                      {"Description", cut_characters(description, 1024)},
                      {"RecordState", "ACTIVE"},
                      {"ProductFields", json::Object{{"aws/securityhub/FindingId", arn + "/" + id},
                                                     {"aws/securityhub/ProductName", product.title},
                                                     {"aws/securityhub/CompanyName", product.company}}}};
}

Value resource_of(const Home& home, std::string_view cloudformation_type, std::string_view id, std::string_view where) {
  const std::string region(where.empty() ? std::string_view(home.region) : where);
  const findings::ResourcePlace place{home.partition, region, home.account};
  return json::Object{{"Type", findings::asff_type_of(cloudformation_type)},
                      {"Id", findings::arn_of(cloudformation_type, id, place).value_or(std::string(id))},
                      {"Partition", home.partition},
                      {"Region", region}};
}

Value tags_of(const Value& tags) {
  json::Object out;
  const auto add = [&](std::string_view key, const Value& value) {
    if (!key.empty() && out.size() < most_tags && !value.is_null()) out.set(key, cut_characters(as_text(value), 256));
  };
  if (tags.is_object())
    for (const auto& tag : tags.as_object()) add(tag.key, tag.value);
  if (tags.is_array())
    for (const Value& tag : tags.as_array()) add(member(tag, "key").string_or(""), member(tag, "value"));
  return out.empty() ? Value() : Value(std::move(out));
}

void flatten(Value& finding, const std::string& prefix, const Value& value) {
  Value& fields = finding.at_or_make("ProductFields");
  struct Branch {
    std::string name;
    const Value* value;
  };
  // The last is looked at first, so children are put there in reverse.
  std::vector<Branch> left{{prefix, &value}};
  while (!left.empty() && fields.size() < most_fields) {
    const Branch branch = std::move(left.back());
    left.pop_back();
    if (branch.name.size() > longest_name) continue;
    if (branch.value->is_object()) {
      std::vector<Branch> children;
      for (const auto& inner : branch.value->as_object()) {
        std::string name = inner.key;
        // The aws command's spelling; names that are values (AWS::EC2::Instance) stay.
        if (!name.empty() && name.find(':') == std::string::npos) name[0] = to_lower(name.substr(0, 1))[0];
        children.push_back({branch.name + "/" + name, &inner.value});
      }
      left.insert(left.end(), children.rbegin(), children.rend());
    } else if (branch.value->is_array()) {
      const auto& list = branch.value->as_array();
      for (std::size_t i = std::min(list.size(), most_fields); i-- > 0;)
        left.push_back({branch.name + "." + std::to_string(i) + "_", &list[i]});
    } else if (!branch.value->is_null()) {
      fields.set(branch.name, cut_characters(as_text(*branch.value), 2048));
    }
  }
}

const Value& member(const Value& value, std::string_view name) {
  if (const Value* found = value.find(name)) return *found;
  return value[to_upper(name.substr(0, 1)) + std::string(name.substr(1))];
}

}  // namespace fixpoint::sources
