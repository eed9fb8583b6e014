#pragma once

#include <string>
#include <string_view>

#include "base/utf8.h"
#include "sources/form.h"

// What the forms share: a value of a document as the finding format wants it.
namespace fixpoint::sources {

/// A time as a finding has it. Taken are the forms of findings, seconds since the epoch (what older clients print) and
/// Java's spelling ("Dec 3, 2021, 6:02:30 PM", in UTC: Inspector's events), which is noted as repaired. Error: the
/// sentence names `path`.
Result<std::string> time_of(const Item& item, const json::Value& value, const std::string& path);

/// An account's 12 digits; a number is written out with the zeros that it lost, and noted. Error: what is no account.
Result<std::string> account_of(const Item& item, const json::Value& value, const std::string& path);

/// A text that has to be there and not be empty. Error: names `path`.
Result<std::string> text_of(const Item& item, const json::Value& value, const std::string& path);

/// A value as text: a string as it is, a number or boolean as JSON prints it, anything else as JSON.
std::string as_text(const json::Value& value);

/// Whose and where a finding is.
struct Home {
  std::string account;
  std::string region;
  std::string partition;
};

/// What the finding says (null where it does not), else the event around it, else the caller, which is noted. The
/// partition is the region's unless the finding names one of AWS's. Errors: an account or partition that is none.
Result<Home> home_of(const Item& item, const json::Value& account, const json::Value& region,
                     const json::Value& partition = {});

/// A product of AWS in Security Hub: "guardduty" in arn:PARTITION:securityhub:REGION::product/aws/guardduty.
struct Product {
  std::string_view name;     ///< in its ARN
  std::string_view title;    ///< ProductName
  std::string_view company;  ///< CompanyName
};

/// A finding with the members that every one has, active, with the product fields that Security Hub itself adds.
json::Value finding_of(const Product& product, const Home& home, const std::string& id, const std::string& generator,
                       std::string_view title, std::string_view description);

/// {Type, Id, Partition, Region}; of an id that is no ARN its ARN where that can be made. `cloudformation_type` is
/// `AWS::EC2::Instance`; `where` is the region where it is another than the home's.
json::Value resource_of(const Home& home, std::string_view cloudformation_type, std::string_view id,
                        std::string_view where = {});

/// Tags as a finding has them, of a map or of a list of {Key, Value} or {key, value}; null where there are none.
json::Value tags_of(const json::Value& tags);

/// The leaves of a value as product fields, `prefix/member/list.0_/member`: texts of at most 2048 characters, names of
/// at most 128, as many as there is room for among a finding's 50.
void flatten(json::Value& finding, const std::string& prefix, const json::Value& value);

/// A member under its name as events and the wire have it, or with the capital that the aws command prints.
const json::Value& member(const json::Value& value, std::string_view name);

/// What is told of a generated sample, which nothing else shows at once.
inline constexpr std::string_view sample_note =
    "the finding is a generated sample: it is marked as one (Sample), and nothing is changed because of it";

/// Whether GuardDuty's additional information, JSON in a text, says that the finding is a generated sample.
bool says_sample(std::string_view additional_info);

/// Whether a text says that there is nothing: empty, "N/A" (Inspector's events), "null", "-".
bool is_nothing(std::string_view text);

}  // namespace fixpoint::sources
