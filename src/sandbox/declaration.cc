#include "sandbox/declaration.h"

#include <algorithm>

#include "base/text.h"
#include "json/yaml.h"

namespace fixpoint::sandbox {
namespace {

using Place = std::string;

Result<void> known(const json::Value& mapping, std::initializer_list<std::string_view> keys, const Place& place) {
  if (!mapping.is_object()) return fail(errors::validation("must be a mapping", place));
  for (const json::Member& member : mapping.as_object()) {
    if (std::find(keys.begin(), keys.end(), member.key) != keys.end()) continue;
    std::string names;
    for (const auto key : keys) names.append(names.empty() ? "" : ", ").append(key);
    return fail(errors::validation("'" + member.key + "' is not known here; what may stand here: " + names, place));
  }
  return {};
}

Result<std::string> text_of(const json::Value& value, const Place& place) {
  if (!value.is_string() || value.as_string().empty()) return fail(errors::validation("must be a text", place));
  return value.as_string();
}

std::vector<std::string> path_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto part : split(text, '.')) out.emplace_back(part);
  return out;
}

class Reader {
 public:
  explicit Reader(Place file) : file_(std::move(file)) {}

  Result<Declarations> read(const json::Value& document) {
    FIXPOINT_CHECK(known(document, {"service", "types", "operations", "absent"}, file_));
    FIXPOINT_TRY(name, text_of(document["service"], file_ + ": service"));
    service_ = name;
    Declarations out{name, {}, {}};
    FIXPOINT_TRY(types, mapping(document, "types"));
    for (const json::Member& member : *types) {
      auto type = std::make_shared<Type>();
      type->service = service_;
      type->name = member.key;
      types_[member.key] = std::move(type);
    }
    for (const json::Member& member : *types)
      FIXPOINT_CHECK(type(*types_[member.key], member.value, file_ + ": types." + member.key));
    FIXPOINT_TRY(operations, mapping(document, "operations"));
    for (const json::Member& member : *operations) {
      FIXPOINT_TRY(declared, operation(member.value, file_ + ": operations." + member.key));
      out.operations[member.key] = std::make_shared<const Declared>(std::move(declared));
    }
    FIXPOINT_TRY(absent, mapping(document, "absent"));
    for (const json::Member& member : *absent) FIXPOINT_CHECK(absent_members(out.absent, member));
    return out;
  }

 private:
  Result<const json::Object*> mapping(const json::Value& document, std::string_view name) {
    static const json::Object none;
    const json::Value& value = document[name];
    if (value.is_null()) return &none;
    if (!value.is_object()) return fail(errors::validation("must be a mapping", file_ + ": " + std::string(name)));
    return &value.as_object();
  }

  Result<void> absent_members(std::vector<Absent>& into, const json::Member& operation) {
    const Place place = file_ + ": absent." + operation.key;
    if (!operation.value.is_array()) return fail(errors::validation("must be a list of members", place));
    for (const json::Value& item : operation.value.as_array()) {
      Absent made{service_, operation.key, {}, {}, place};
      if (item.is_object() && item.size() == 1) {
        made.path = path_of(item.as_object().begin()->key);
        made.accepted = item.as_object().begin()->value;
      } else {
        FIXPOINT_TRY(member, text_of(item, place));
        made.path = path_of(member);
      }
      into.push_back(std::move(made));
    }
    return {};
  }

  Result<void> type(Type& out, const json::Value& source, const Place& place) {
    FIXPOINT_CHECK(known(source, {"scope", "id", "missing", "exists", "checks"}, place));
    const std::string_view scope = source["scope"].string_or("region");
    if (scope != "region" && scope != "account" && scope != "world")
      return fail(errors::validation("must be region, account or world", place + ".scope"));
    out.reach = scope == "region"    ? Type::Reach::Region
                : scope == "account" ? Type::Reach::Account
                                     : Type::Reach::World;
    FIXPOINT_CHECK(text_of(source["id"], place + ".id"));
    FIXPOINT_CHECK(one(out.id, source["id"], place + ".id"));
    FIXPOINT_CHECK(fault(out.missing, source["missing"], place + ".missing"));
    FIXPOINT_CHECK(fault(out.exists, source["exists"], place + ".exists"));
    return checks(out.checks, source["checks"], place + ".checks");
  }

  static Result<void> one(Template& out, const json::Value& source, const Place& place) {
    FIXPOINT_TRY(parsed, Template::parse(source, place));
    out = std::move(parsed);
    return {};
  }

  static Result<void> maybe(std::optional<Template>& out, const json::Value& source, const Place& place) {
    if (source.is_null()) return {};
    return one(out.emplace(), source, place);
  }

  static Result<void> fault(std::optional<Fault>& out, const json::Value& source, const Place& place) {
    if (source.is_null()) return {};
    FIXPOINT_CHECK(known(source, {"code", "message", "status"}, place));
    Fault& made = out.emplace();
    FIXPOINT_TRY(code, text_of(source["code"], place + ".code"));
    made.code = code;
    FIXPOINT_CHECK(text_of(source["message"], place + ".message"));
    FIXPOINT_CHECK(one(made.message, source["message"], place + ".message"));
    made.status = static_cast<int>(source["status"].int_or(400));
    if (made.status < 300 || made.status > 599)
      return fail(errors::validation("must be an HTTP status", place + ".status"));
    return {};
  }

  Result<TypeRef> type_named(const json::Value& name, const Place& place) const {
    FIXPOINT_TRY(text, text_of(name, place));
    const auto found = types_.find(text);
    if (found == types_.end()) return fail(errors::validation("'" + text + "' is no type of this file", place));
    return TypeRef(found->second);
  }

  Result<void> checks(std::vector<Check>& out, const json::Value& source, const Place& place) {
    if (source.is_null()) return {};
    if (!source.is_array()) return fail(errors::validation("must be a list", place));
    for (std::size_t i = 0; i < source.size(); ++i) {
      const Place at = place + "[" + std::to_string(i) + "]";
      FIXPOINT_CHECK(
          known(source[i], {"has", "lacks", "equals", "differs", "holds", "lacks_item", "any", "error"}, at));
      Check& check = out.emplace_back();
      std::optional<Fault> error;
      FIXPOINT_CHECK(fault(error, source[i]["error"], at + ".error"));
      if (!error) return fail(errors::validation("a check needs its error", at));
      check.error = std::move(*error);
      for (const json::Member& member : source[i].as_object())
        if (member.key != "error") FIXPOINT_CHECK(condition(check, member, at + "." + member.key));
      if (check.conditions.empty()) return fail(errors::validation("a check needs a condition", at));
    }
    return {};
  }

  Result<void> condition(Check& check, const json::Member& member, const Place& place) {
    using Kind = Condition::Kind;
    static const std::map<std::string_view, Kind> kinds{
        {"has", Kind::Has},     {"lacks", Kind::Lacks},          {"equals", Kind::Equals}, {"differs", Kind::Differs},
        {"holds", Kind::Holds}, {"lacks_item", Kind::LacksItem}, {"any", Kind::Any}};
    Condition& made = check.conditions.emplace_back();
    made.kind = kinds.at(member.key);
    if (made.kind == Kind::Any) {
      FIXPOINT_CHECK(known(member.value, {"type", "prefix", "where"}, place));
      FIXPOINT_TRY(type, type_named(member.value["type"], place + ".type"));
      made.type = type;
      FIXPOINT_CHECK(filters(made.where, member.value["where"], place + ".where"));
      return one(made.left, member.value["prefix"].is_null() ? json::Value("") : member.value["prefix"], place);
    }
    if (made.kind == Kind::Has || made.kind == Kind::Lacks) return one(made.left, member.value, place);
    if (!member.value.is_array() || member.value.size() != 2)
      return fail(errors::validation("must be a list of two", place));
    FIXPOINT_CHECK(one(made.left, member.value[0], place + "[0]"));
    return one(made.right, member.value[1], place + "[1]");
  }

  Result<void> related(std::vector<Related>& out, const json::Value& source, std::string_view member,
                       const Place& place) {
    if (source.is_null()) return {};
    if (!source.is_array()) return fail(errors::validation("must be a list", place));
    for (const json::Value& item : source.as_array()) {
      FIXPOINT_CHECK(known(item, {"type", member}, place));
      Related& made = out.emplace_back();
      FIXPOINT_TRY(type, type_named(item["type"], place));
      made.type = type;
      FIXPOINT_CHECK(maybe(made.id, item[member], place));
    }
    return {};
  }

  static Result<void> paths(std::vector<std::vector<std::string>>& out, const json::Value& source, const Place& place) {
    if (!source.is_null() && !source.is_array()) return fail(errors::validation("must be a list of paths", place));
    for (std::size_t i = 0; i < source.size(); ++i) {
      FIXPOINT_TRY(path, text_of(source[i], place));
      out.push_back(path_of(path));
    }
    return {};
  }

  static Result<void> by_path(std::vector<PathTemplate>& out, const json::Value& source, const Place& place) {
    if (source.is_null()) return {};
    if (!source.is_object()) return fail(errors::validation("must be a mapping", place));
    for (const json::Member& member : source.as_object()) {
      PathTemplate& made = out.emplace_back();
      made.path = path_of(member.key);
      FIXPOINT_CHECK(one(made.value, member.value, place + "." + member.key));
    }
    return {};
  }

  static Result<void> list_change(std::vector<ListChange>& out, const json::Value& source, std::string_view target,
                                  std::string_view items, const Place& place) {
    if (source.is_null()) return {};
    const json::Array several = source.is_array() ? source.as_array() : json::Array{source};
    for (const json::Value& item : several) {
      FIXPOINT_CHECK(known(item, {target, items, "key", "missing"}, place));
      ListChange& made = out.emplace_back();
      FIXPOINT_TRY(path, text_of(item[target], place));
      made.path = path_of(path);
      if (item[items].is_null()) return fail(errors::validation("needs '" + std::string(items) + "'", place));
      FIXPOINT_CHECK(one(made.items, item[items], place));
      made.key = item["key"].string_or({});
      FIXPOINT_CHECK(fault(made.missing, item["missing"], place + ".missing"));
    }
    return {};
  }

  static Result<void> filters(std::vector<Filter>& out, const json::Value& source, const Place& place) {
    if (source.is_null()) return {};
    if (!source.is_array()) return fail(errors::validation("must be a list", place));
    static const std::map<std::string_view, Filter::How> hows{{"equals", Filter::How::Equals},
                                                              {"begins", Filter::How::Begins},
                                                              {"contains", Filter::How::Contains},
                                                              {"any", Filter::How::Any}};
    for (const json::Value& item : source.as_array()) {
      FIXPOINT_CHECK(known(item, {"when", "is", "how"}, place));
      Filter& made = out.emplace_back();
      FIXPOINT_CHECK(one(made.when, item["when"], place));
      FIXPOINT_CHECK(one(made.is, item["is"], place));
      const auto how = hows.find(item["how"].string_or("equals"));
      if (how == hows.end()) return fail(errors::validation("'how' must be equals, begins, contains or any", place));
      made.how = how->second;
    }
    return {};
  }

  static Result<void> page(std::optional<Page>& out, const json::Value& source, const Place& place) {
    if (source.is_null()) return {};
    FIXPOINT_CHECK(known(source, {"size", "token", "next", "more", "default", "most", "invalid"}, place));
    Page& made = out.emplace();
    made.size = source["size"].string_or({});
    FIXPOINT_TRY(token, text_of(source["token"], place + ".token"));
    FIXPOINT_TRY(next, text_of(source["next"], place + ".next"));
    made.token = token;
    made.next = next;
    made.more = source["more"].string_or({});
    made.by_default = source["default"].int_or(100);
    made.most = source["most"].int_or(1000);
    if (made.by_default < 1 || made.most < made.by_default)
      return fail(errors::validation("'default' must be at least 1 and 'most' no less", place));
    return fault(made.invalid, source["invalid"], place + ".invalid");
  }

  Result<Declared> operation(const json::Value& source, const Place& place) {
    using Verb = Declared::Verb;
    static const std::map<std::string_view, Verb> verbs{{"create", Verb::Create}, {"read", Verb::Read},
                                                        {"update", Verb::Update}, {"delete", Verb::Delete},
                                                        {"list", Verb::List},     {"put", Verb::Put}};
    FIXPOINT_CHECK(known(
        source,
        {"create", "read",    "update", "delete",   "list",       "put",    "id",      "missing", "needs", "checks",
         "body",   "default", "answer", "if_there", "if_missing", "set",    "replace", "unset",   "merge", "add",
         "prune",  "remove",  "with",   "into",     "each",       "prefix", "named",   "where",   "page"},
        place));
    Declared out;
    for (const auto& [name, verb] : verbs) {
      if (source[name].is_null()) continue;
      if (out.type)
        return fail(errors::validation("says more than one of create, read, update, delete, list, put", place));
      FIXPOINT_TRY(type, type_named(source[name], place + "." + std::string(name)));
      out.type = type;
      out.verb = verb;
    }
    if (!out.type) return fail(errors::validation("says none of create, read, update, delete, list, put", place));
    FIXPOINT_CHECK(maybe(out.id, source["id"], place + ".id"));
    FIXPOINT_CHECK(fault(out.missing, source["missing"], place + ".missing"));
    FIXPOINT_CHECK(related(out.needs, source["needs"], "id", place + ".needs"));
    FIXPOINT_CHECK(checks(out.checks, source["checks"], place + ".checks"));
    FIXPOINT_CHECK(maybe(out.body, source["body"], place + ".body"));
    FIXPOINT_CHECK(maybe(out.by_default, source["default"], place + ".default"));
    FIXPOINT_CHECK(maybe(out.answer, source["answer"], place + ".answer"));
    out.answer_if_there = source["if_there"].string_or({}) == "answer";
    out.ignore_missing = source["if_missing"].string_or({}) == "ignore";
    FIXPOINT_CHECK(by_path(out.set, source["set"], place + ".set"));
    FIXPOINT_CHECK(by_path(out.replace, source["replace"], place + ".replace"));
    FIXPOINT_CHECK(by_path(out.merge, source["merge"], place + ".merge"));
    FIXPOINT_CHECK(paths(out.unset, source["unset"], place + ".unset"));
    FIXPOINT_CHECK(paths(out.prune, source["prune"], place + ".prune"));
    FIXPOINT_CHECK(list_change(out.add, source["add"], "to", "items", place + ".add"));
    FIXPOINT_CHECK(list_change(out.remove, source["remove"], "from", "keys", place + ".remove"));
    FIXPOINT_CHECK(related(out.with, source["with"], "prefix", place + ".with"));
    out.into = source["into"].string_or({});
    FIXPOINT_CHECK(maybe(out.each, source["each"], place + ".each"));
    FIXPOINT_CHECK(maybe(out.prefix, source["prefix"], place + ".prefix"));
    FIXPOINT_CHECK(maybe(out.named, source["named"], place + ".named"));
    FIXPOINT_CHECK(filters(out.where, source["where"], place + ".where"));
    FIXPOINT_CHECK(page(out.page, source["page"], place + ".page"));
    if (out.verb == Verb::List && out.into.empty()) return fail(errors::validation("a list needs 'into'", place));
    if ((out.verb == Verb::Create || out.verb == Verb::Put) && !out.body)
      return fail(errors::validation("create and put need 'body'", place));
    return out;
  }

  Place file_;
  std::string service_;
  std::map<std::string, std::shared_ptr<Type>> types_;
};

}  // namespace

Result<Declarations> read_declarations(const std::string& file, const std::string& text) {
  auto document = json::parse_yaml(text);
  if (!document) {
    document.error().where = file + ": " + document.error().where;
    return fail(std::move(document.error()));
  }
  return Reader(file).read(*document);
}

}  // namespace fixpoint::sandbox
