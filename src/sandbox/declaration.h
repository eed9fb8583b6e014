#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/template.h"

namespace fixpoint::sandbox {

/// What a line of catalog/sandbox/SERVICE.yaml says once it is read; declared.h has the form.
struct Fault {
  std::string code;
  Template message;
  int status = 400;
};

struct Type {
  enum class Reach : std::uint8_t { Region, Account, World };
  std::string service;
  std::string name;
  Reach reach = Reach::Region;
  Template id;
  std::optional<Fault> missing;
  std::optional<Fault> exists;
  std::vector<struct Check> checks;

  Scope scope(const Request& request) const;
};

using TypeRef = std::shared_ptr<const Type>;

struct Filter {
  enum class How : std::uint8_t { Equals, Begins, Contains, Any };
  Template when;
  Template is;
  How how = How::Equals;
};

struct Condition {
  enum class Kind : std::uint8_t { Has, Lacks, Equals, Differs, Holds, LacksItem, Any };
  Kind kind = Kind::Has;
  Template left;
  Template right;
  TypeRef type;
  std::vector<Filter> where;  // of Any
};

struct Check {
  std::vector<Condition> conditions;
  Fault error;
};

struct Related {
  TypeRef type;
  std::optional<Template> id;  // needs: the id; with: the prefix of the ids
};

struct PathTemplate {
  std::vector<std::string> path;
  Template value;
};

struct ListChange {
  std::vector<std::string> path;
  Template items;
  std::string key;
  std::optional<Fault> missing;
};

struct Page {
  std::string size;
  std::string token;
  std::string next;
  std::string more;
  std::int64_t by_default = 100;
  std::int64_t most = 1000;
  std::optional<Fault> invalid;
};

struct Declared {
  enum class Verb : std::uint8_t { Create, Read, Update, Delete, List, Put };
  Verb verb = Verb::Read;
  TypeRef type;
  std::optional<Template> id;
  std::optional<Fault> missing;
  std::vector<Related> needs;
  std::vector<Check> checks;
  std::optional<Template> body;
  std::optional<Template> by_default;
  std::optional<Template> answer;
  bool answer_if_there = false;
  bool ignore_missing = false;
  std::vector<PathTemplate> set;
  std::vector<PathTemplate> replace;
  std::vector<std::vector<std::string>> unset;
  std::vector<PathTemplate> merge;
  std::vector<std::vector<std::string>> prune;
  std::vector<ListChange> add;
  std::vector<ListChange> remove;
  std::vector<Related> with;
  std::string into;
  std::optional<Template> each;
  std::optional<Template> prefix;
  std::optional<Template> named;
  std::vector<Filter> where;
  std::optional<Page> page;
};

struct Absent {
  std::string service;
  std::string operation;
  std::vector<std::string> path;  // of the member in the input; a list on the way stands for each of its items
  json::Value accepted;           // what the account does anyway; null where that has no name
  std::string place;              // in the catalog
};

struct Declarations {
  std::string service;
  std::map<std::string, std::shared_ptr<const Declared>> operations;
  std::vector<Absent> absent;
};

/// One file. Error: ValidationException, `where` being file and place.
Result<Declarations> read_declarations(const std::string& file, const std::string& text);

Reply run_declared(const Declared& declared, Request& request);

}  // namespace fixpoint::sandbox
