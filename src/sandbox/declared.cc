#include "sandbox/declared.h"

#include <algorithm>
#include <cstdint>

#include "sandbox/declaration.h"
#include "sandbox/item_list.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace {

using Path = std::vector<std::string>;

tl::unexpected<Error> answer_fault(const Fault& fault, const Bindings& bindings) {
  return fail(errors::coded(fault.code, fault.message.text(bindings), fault.status));
}

tl::unexpected<Error> answer_missing(const Declared& declared, const Type& type, const Bindings& bindings) {
  if (&type == declared.type.get() && declared.missing) return answer_fault(*declared.missing, bindings);
  if (type.missing) return answer_fault(*type.missing, bindings);
  return fail(errors::resource_not_found("there is no such " + type.name));
}

bool holds(const json::Value& list, const json::Value& item) {
  if (list.is_array()) return std::find(list.as_array().begin(), list.as_array().end(), item) != list.as_array().end();
  return list.is_object() && item.is_string() && list.find(item.as_string()) != nullptr;
}

bool passes(const Filter& filter, const Bindings& bindings) {
  const auto when = filter.when.fill(bindings);
  if (!when) return true;
  const auto is = filter.is.fill(bindings);
  if (!is) return false;
  switch (filter.how) {
    case Filter::How::Equals: return *when == *is;
    case Filter::How::Begins: return is->string_or({}).substr(0, when->string_or({}).size()) == when->string_or({});
    case Filter::How::Contains: return is->string_or({}).find(when->string_or({})) != std::string_view::npos;
    case Filter::How::Any: return when->size() == 0 || holds(*when, *is);
  }
  return false;
}

bool is_true(const Condition& condition, Request& request, const Bindings& bindings) {
  using Kind = Condition::Kind;
  if (condition.kind == Kind::Any) {
    bool found = false;
    request.state.each(
        condition.type->scope(request), condition.left.text(bindings), {}, [&](std::string_view, const Document& body) {
          found = body && std::all_of(condition.where.begin(), condition.where.end(),
                                      [&](const Filter& filter) { return passes(filter, {request, body.get()}); });
          return !found;
        });
    return found;
  }
  const auto left = condition.left.fill(bindings);
  if (condition.kind == Kind::Has) return left.has_value();
  if (condition.kind == Kind::Lacks) return !left.has_value();
  const auto right = condition.right.fill(bindings);
  switch (condition.kind) {
    case Kind::Equals: return left && right && *left == *right;
    case Kind::Differs: return left && right && !(*left == *right);
    case Kind::Holds: return left && right && holds(*left, *right);
    default: return right && !(left && holds(*left, *right));
  }
}

Result<void> check_all(const std::vector<Check>& checks, Request& request, const Bindings& bindings) {
  for (const Check& check : checks)
    if (std::all_of(check.conditions.begin(), check.conditions.end(),
                    [&](const Condition& condition) { return is_true(condition, request, bindings); }))
      return answer_fault(check.error, bindings);
  return {};
}

json::Value& make_path(json::Value& root, const Path& path) {
  json::Value* at = &root;
  for (const std::string& name : path) {
    if (!at->is_object()) *at = json::Object();
    at = &at->as_object()[name];
  }
  return *at;
}

void erase_path(json::Value& root, const Path& path) {
  json::Value* at = &root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (!at->is_object()) return;
    at = at->as_object().find(path[i]);
    if (at == nullptr) return;
  }
  if (at->is_object()) at->as_object().erase(path.back());
}

json::Array listed(std::optional<json::Value> value) {
  if (!value || value->is_null()) return {};
  if (value->is_array()) return std::move(value->as_array());
  return {std::move(*value)};
}

void add_items(json::Value& root, const ListChange& change, const Bindings& bindings) {
  json::Array items = listed(change.items.fill(bindings));
  if (items.empty()) return;
  json::Value& target = make_path(root, change.path);
  if (!target.is_array()) target = json::Array();
  put_items(target.as_array(), std::move(items), change.key);
}

Result<void> remove_items(json::Value& root, const ListChange& change, const Bindings& bindings) {
  const json::Array gone = listed(change.items.fill(bindings));
  json::Value* target = &root;
  for (const std::string& name : change.path)
    if (target != nullptr) target = target->is_object() ? target->as_object().find(name) : nullptr;
  std::vector<bool> found(gone.size());
  if (target != nullptr && target->is_array())
    found = take_items(target->as_array(), gone, change.key);
  else if (target != nullptr && target->is_object())
    found = take_members(target->as_object(), gone);
  if (change.missing && std::find(found.begin(), found.end(), false) != found.end())
    return answer_fault(*change.missing, bindings);
  if (!gone.empty() && target != nullptr && (target->is_array() || target->is_object()) && target->size() == 0)
    erase_path(root, change.path);
  return {};
}

Result<void> change_resource(const Declared& declared, json::Value& body, const Bindings& before) {
  const auto now = [&] { return Bindings{before.request, &body}; };
  for (const PathTemplate& item : declared.set)
    if (auto value = item.value.fill(now())) make_path(body, item.path) = std::move(*value);
  for (const PathTemplate& item : declared.replace) {
    if (auto value = item.value.fill(now()))
      make_path(body, item.path) = std::move(*value);
    else
      erase_path(body, item.path);
  }
  for (const Path& path : declared.unset) erase_path(body, path);
  for (const PathTemplate& item : declared.merge) {
    const auto value = item.value.fill(now());
    if (!value || !value->is_object()) continue;
    json::Value& target = make_path(body, item.path);
    if (!target.is_object()) target = json::Object();
    for (const json::Member& member : value->as_object()) target.as_object().set(member.key, member.value);
  }
  for (const ListChange& change : declared.add) add_items(body, change, now());
  for (const ListChange& change : declared.remove) FIXPOINT_CHECK(remove_items(body, change, now()));
  for (const Path& path : declared.prune) {
    json::Value& target = make_path(body, path);
    if (!target.is_object()) continue;
    json::Array gone;
    for (const json::Member& member : target.as_object())
      if (member.value.is_string() && member.value.as_string().empty()) gone.emplace_back(member.key);
    take_members(target.as_object(), gone);
  }
  return {};
}

Reply answer(const Declared& declared, const Bindings& bindings) {
  if (!declared.answer) return empty();
  return declared.answer->fill(bindings).value_or(empty());
}

struct PageState {
  std::int64_t size;
  std::string after;
};

Result<PageState> page_start(const Declared& declared, const Bindings& bindings) {
  PageState out{INT64_MAX, {}};
  if (!declared.page) return out;
  const Page& page = *declared.page;
  const json::Value& input = bindings.request.input;
  out.size = std::clamp<std::int64_t>(input[page.size].int_or(page.by_default), 1, page.most);
  const std::string code = page.invalid ? page.invalid->code : "InvalidNextToken";
  const std::string message = page.invalid
                                  ? page.invalid->message.text(bindings)
                                  : "The token '" + std::string(input[page.token].string_or({})) + "' is not valid";
  FIXPOINT_TRY(after, page_position(input[page.token].string_or({}), code, message));
  out.after = after;
  return out;
}

Reply run_list(const Declared& declared, Request& request) {
  const Bindings plain{request};
  FIXPOINT_CHECK(check_all(declared.checks, request, plain));
  const Scope scope = declared.type->scope(request);
  json::Object out;
  json::Array items;
  const auto take = [&](const Document& body) {
    const Bindings bindings{request, body.get()};
    for (const Filter& filter : declared.where)
      if (!passes(filter, bindings)) return;
    if (!declared.each) {
      items.push_back(*body);
    } else if (auto item = declared.each->fill(bindings)) {
      items.push_back(std::move(*item));
    }
  };
  std::string next;
  const auto named = declared.named ? declared.named->fill(plain) : std::nullopt;
  if (named) {
    const Document body = request.state.get(scope, declared.named->text(plain));
    if (!body) return answer_missing(declared, *declared.type, plain);
    take(body);
  } else {
    FIXPOINT_TRY(page, page_start(declared, plain));
    std::string last;
    request.state.each(scope, declared.prefix ? declared.prefix->text(plain) : std::string(), page.after,
                       [&](std::string_view id, const Document& body) {
                         if (!body) return true;
                         const std::size_t before = items.size();
                         if (static_cast<std::int64_t>(before) == page.size) {
                           take(body);  // one more than the page holds, to know whether there is one
                           if (items.size() == before) return true;
                           items.pop_back();
                           next = page_token(last);
                           return false;
                         }
                         take(body);
                         if (items.size() > before) last = id;
                         return true;
                       });
  }
  if (declared.answer)
    if (auto rest = declared.answer->fill(plain); rest && rest->is_object()) out = std::move(rest->as_object());
  out.set(declared.into, std::move(items));
  if (declared.page) {
    if (!declared.page->more.empty()) out.set(declared.page->more, !next.empty());
    if (!next.empty()) out.set(declared.page->next, next);
  }
  return out;
}

Reply run_create(const Declared& declared, Request& request, const Scope& scope) {
  const Bindings plain{request};
  json::Value body = declared.body->fill(plain).value_or(empty());
  FIXPOINT_CHECK(change_resource(declared, body, plain));
  const Bindings bindings{request, &body};
  const std::string id = declared.id ? declared.id->text(bindings) : declared.type->id.text(bindings);
  if (const Document there = request.state.get(scope, id)) {
    if (declared.answer_if_there) return answer(declared, {request, there.get()});
    if (declared.verb == Declared::Verb::Create) {
      if (declared.type->exists) return answer_fault(*declared.type->exists, {request, there.get()});
      return fail(errors::resource_conflict("there already is a " + declared.type->name + " " + id));
    }
  }
  FIXPOINT_CHECK(check_all(declared.checks, request, bindings));
  auto out = answer(declared, bindings);
  request.state.put(scope, id, std::move(body));
  return out;
}

}  // namespace

Scope Type::scope(const Request& request) const {
  switch (reach) {
    case Reach::World: return {service, name, {}, {}};
    case Reach::Account: return request.global(service, name);
    case Reach::Region: break;
  }
  return request.regional(service, name);
}

Reply run_declared(const Declared& declared, Request& request) {
  using Verb = Declared::Verb;
  const Bindings plain{request};
  for (const Related& need : declared.needs) {
    const std::string id = need.id ? need.id->text(plain) : need.type->id.text(plain);
    if (!request.state.get(need.type->scope(request), id)) return answer_missing(declared, *need.type, plain);
  }
  if (declared.verb == Verb::List) return run_list(declared, request);
  const Scope scope = declared.type->scope(request);
  if (declared.verb == Verb::Create || declared.verb == Verb::Put) return run_create(declared, request, scope);
  const std::string id = declared.id ? declared.id->text(plain) : declared.type->id.text(plain);

  Document there = request.state.get(scope, id);
  if (!there && declared.by_default)
    there = std::make_shared<const json::Value>(declared.by_default->fill(plain).value_or(empty()));
  if (!there) {
    if (declared.ignore_missing) return answer(declared, plain);
    return answer_missing(declared, *declared.type, plain);
  }
  const Bindings bindings{request, there.get()};
  FIXPOINT_CHECK(check_all(declared.type->checks, request, bindings));
  FIXPOINT_CHECK(check_all(declared.checks, request, bindings));
  if (declared.verb == Verb::Read) return answer(declared, bindings);
  if (declared.verb == Verb::Delete) {
    for (const Related& with : declared.with) {
      std::vector<std::string> gone;
      const Scope others = with.type->scope(request);
      request.state.each(others, with.id ? with.id->text(bindings) : std::string(), {},
                         [&](std::string_view other, const Document&) {
                           gone.emplace_back(other);
                           return true;
                         });
      for (const std::string& other : gone) request.state.erase(others, other);
    }
    request.state.erase(scope, id);
    return answer(declared, bindings);
  }
  json::Value body = *there;
  FIXPOINT_CHECK(change_resource(declared, body, bindings));
  auto out = answer(declared, {request, &body});
  request.state.put(scope, id, std::move(body));
  return out;
}

Result<std::vector<Absent>> add_declared(const catalog::Catalog& catalog, Services& services) {
  std::vector<Absent> absent;
  for (const std::string& path : catalog.list("sandbox")) {
    FIXPOINT_TRY(read, read_declarations(path, *catalog.find(path)));
    for (auto& [name, declared] : read.operations) {
      const bool changes = declared->verb != Declared::Verb::Read && declared->verb != Declared::Verb::List;
      services[read.service].insert_or_assign(
          name, Operation{[declared](Request& request) { return run_declared(*declared, request); }, changes});
    }
    for (Absent& one : read.absent) absent.push_back(std::move(one));
  }
  return absent;
}

}  // namespace fixpoint::sandbox
