#include "audit/record.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "json/text.h"

namespace fixpoint::audit {
namespace {

using json::Value;

constexpr std::size_t hash_digits = 64;

bool is_hash(std::string_view text) {
  return text.size() == hash_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

json::Object hashed_part(const Record& record) {
  return {{"Number", record.number},
          {"At", format_iso8601_ms(record.at_ms)},
          {"Kind", record.kind},
          {"About", record.about},
          {"Previous", record.previous}};
}

// The members of all objects within a value.
std::size_t members_in(const Value& value) {
  std::size_t count = 0;
  if (value.is_array())
    for (const Value& item : value.as_array()) count += members_in(item);
  if (value.is_object())
    for (const auto& member : value.as_object()) count += 1 + members_in(member.value);
  return count;
}

// The same of a JSON text: each has one colon outside of strings.
std::size_t members_in(std::string_view text) {
  std::size_t count = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\') ++i;
    if (!in_string && text[i] == ':') ++count;
  }
  return count;
}

}  // namespace

Error broken(std::int64_t number, const std::string& what) {
  return Error{.code = "AuditBroken", .message = "record " + std::to_string(number) + " " + what};
}

std::string first_previous() {
  return std::string(hash_digits, '0');
}

std::string hash_of(const Record& record) {
  return sha256_hex(json::print_canonical(hashed_part(record)));
}

Value to_json(const Record& record) {
  json::Object out = hashed_part(record);
  out.set("Hash", record.hash);
  return out;
}

Result<Record> record_of(const Value& value) {
  Record record;
  record.number = value["Number"].int_or(0);
  const auto at = parse_iso8601_ms(value["At"].string_or(""));
  // What is not hashed as it stands must not stand there: a member more, or a time in another spelling.
  if (record.number < 1 || !at || format_iso8601_ms(*at) != value["At"].string_or("") || !value["Kind"].is_string() ||
      !value["About"].is_object() || !value["Previous"].is_string() || !value["Hash"].is_string() || value.size() != 6)
    return fail(errors::validation(
        "a record of the audit log has Number, At, Kind, About, Previous and Hash and nothing else, which is not so "
        "of " +
        std::string(first_bytes(json::print(value), 200))));
  record.at_ms = *at;
  record.kind = value["Kind"].as_string();
  record.about = value["About"];
  record.previous = value["Previous"].as_string();
  record.hash = value["Hash"].as_string();
  return record;
}

Result<Record> record_of_line(std::string_view line) {
  auto value = json::parse(line);
  if (!value) return fail(errors::validation("it is no JSON: " + value.error().message, value.error().where));
  if (names_twice(line, *value)) return fail(errors::validation("it names a member twice"));
  return record_of(*value);
}

bool names_twice(std::string_view text, const Value& value) {
  return members_in(text) != members_in(value);
}

std::string to_text(const Head& head) {
  return std::to_string(head.number) + ":" + head.hash;
}

Result<Head> head_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto number = to_int64(text.substr(0, colon));
  if (colon == std::string_view::npos || !number || *number < 0 || !is_hash(text.substr(colon + 1)))
    return fail(errors::validation(
        "'" + std::string(text) + "' is no head of the audit log: it is NUMBER:HASH, as 'fixpoint audit head' prints"));
  return Head{*number, std::string(text.substr(colon + 1))};
}

Result<void> Chain::follow(const Record& record) {
  if (record.number != last_.number + 1)
    return fail(broken(record.number, "stands where record " + std::to_string(last_.number + 1) +
                                          " has to be: records were taken out or slipped in"));
  if (record.previous != last_.hash)
    return fail(broken(record.number, "does not follow from the record before it: it says " + record.previous +
                                          ", and that one's hash is " + last_.hash));
  if (const std::string right = hash_of(record); record.hash != right)
    return fail(broken(record.number, "was altered: its hash is " + right + ", and it says " + record.hash));
  if (kept_ && kept_->number == record.number && kept_->hash != record.hash)
    return fail(broken(record.number, "is not the one whose hash was kept: that was " + kept_->hash + ", this is " +
                                          record.hash + "; the log was rewritten"));
  last_ = {record.number, record.hash};
  return {};
}

Result<void> Chain::end() const {
  if (kept_ && kept_->number > last_.number)
    return fail(Error{.code = "AuditBroken",
                      .message = "the log ends at record " + std::to_string(last_.number) +
                                 ", and the head that was kept is record " + std::to_string(kept_->number) +
                                 ": its end was cut off"});
  return {};
}

}  // namespace fixpoint::audit
