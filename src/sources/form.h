#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "findings/resources.h"
#include "json/value.h"
#include "sources/sources.h"

namespace fixpoint::sources {

/// The repairs of a document, counted by kind. Not thread-safe.
class Repairs {
 public:
  /// `what` is a sentence's beginning that names no finding: "Types was empty and is now ...".
  void note(const std::string& what, std::size_t index, std::string_view id);
  /// In the order in which they were first seen: "Types was ...: finding 1 ('id') and 3 more".
  std::vector<std::string> sentences() const;

 private:
  struct Seen {
    std::string what;
    std::size_t index = 0;
    std::string id;
    std::size_t findings = 0;
    std::size_t last = 0;
  };
  std::vector<Seen> seen_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

/// One finding of a document, in its own form, with all that a form may need to read it.
struct Item {
  const json::Value& value;
  const json::Value& event;  ///< the EventBridge event that carried it; null where none did
  const Caller& caller;
  Repairs& repairs;
  std::size_t index = 0;            ///< from 0, in the whole document
  std::string_view id;              ///< as its form names it; may be empty
  json::Value* original = nullptr;  ///< where a form of which more is to be kept puts that (Taken::originals)

  void repaired(const std::string& what) const { repairs.note(what, index, id); }
  /// InvalidInputException: "finding 2 ('id'): PATH MESSAGE".
  Error bad(const std::string& path, const std::string& message) const;
};

/// A form of findings: a row of `forms()`.
struct Form {
  std::string_view name;                 ///< for sentences: "a GuardDuty finding"
  bool (*is)(const json::Value& value);  ///< whether an item is of the form: by members that no other form has
  /// The finding in the AWS Security Finding Format. Errors are made by Item::bad.
  Result<json::Value> (*read)(const Item& item);
};

/// The forms, in the order in which they are tried.
std::span<const Form> forms();

// The rows' functions, a file each.
bool is_guardduty(const json::Value& value);
Result<json::Value> read_guardduty(const Item& item);
bool is_inspector(const json::Value& value);
Result<json::Value> read_inspector(const Item& item);
bool is_macie(const json::Value& value);
Result<json::Value> read_macie(const Item& item);
bool is_access_analyzer(const json::Value& value);
Result<json::Value> read_access_analyzer(const Item& item);
bool is_config_change(const json::Value& value);
Result<json::Value> read_config_change(const Item& item);
bool is_config_result(const json::Value& value);
Result<json::Value> read_config_result(const Item& item);
bool is_config_invocation(const json::Value& value);
Result<json::Value> read_config_invocation(const Item& item);
bool is_ocsf(const json::Value& value);
Result<json::Value> read_ocsf(const Item& item);
bool is_asff(const json::Value& value);
Result<json::Value> read_asff(const Item& item);

}  // namespace fixpoint::sources
