#include "aws/paginate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "aws/expression.h"
#include "base/hash.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::size_t page_limit = 1'000'000;
using Names = std::vector<std::string>;

// `DistributionList.Items` to its names; nothing where the text is more than names and dots.
std::optional<Names> names_of(std::string_view text) {
  Names names;
  for (const std::string_view part : split(trim(text), '.')) {
    const bool plain = !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!plain) return {};
    names.emplace_back(part);
  }
  return names;
}

json::Value* find(json::Value& in, const Names& names) {
  json::Value* at = &in;
  for (const std::string& name : names) {
    at = at->is_object() ? at->as_object().find(name) : nullptr;
    if (at == nullptr) return nullptr;
  }
  return at;
}

void put(json::Value& in, const Names& names, json::Value value) {
  json::Value* at = &in;
  for (const std::string& name : names) at = &at->at_or_make(name);
  *at = std::move(value);
}

void erase(json::Value& in, Names names) {
  const std::string last = std::move(names.back());
  names.pop_back();
  if (json::Value* parent = find(in, names); parent != nullptr && parent->is_object()) parent->as_object().erase(last);
}

// One text, or a list of them.
std::vector<std::string> texts(const json::Value& value) {
  std::vector<std::string> result;
  if (value.is_string()) result.push_back(value.as_string());
  for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) result.emplace_back(value[i].string_or(""));
  return result;
}

std::size_t items_in(const json::Value& value) {
  return value.is_array() || value.is_object() ? value.size() : 0;
}

// Lists are joined, maps united, numbers added up; of anything else the first page's stays.
void join(json::Value& whole, const json::Value& more) {
  if (whole.is_array() && more.is_array()) {
    for (const json::Value& item : more.as_array()) whole.push_back(item);
  } else if (whole.is_object() && more.is_object()) {
    for (const json::Member& member : more.as_object()) whole.set(member.key, member.value);
  } else if (whole.is_number() && more.is_number()) {
    const auto a = whole.as_int64();
    const auto b = more.as_int64();
    std::int64_t sum = 0;
    if (a && b && !__builtin_add_overflow(*a, *b, &sum))
      whole = sum;
    else
      whole = whole.as_double() + more.as_double();
  }
}

}  // namespace

struct Paginator::Plan {
  std::string where;  // `ec2.DescribeInstances`
  std::vector<std::string> input_tokens;
  std::vector<Expression> output_tokens;  // beside input_tokens
  std::optional<Expression> more_results;
  std::string limit_key;
  bool limit_is_text = false;      // CloudFront's MaxItems
  bool same_token_ends = false;    // the last page repeats its own token: CloudWatch Logs
  std::vector<Names> result_keys;  // what is joined
  std::vector<Names> token_keys;   // what is left out of the whole
};

Paginator::Paginator() = default;
Paginator::~Paginator() = default;
Paginator::Paginator(Paginator&&) noexcept = default;
Paginator& Paginator::operator=(Paginator&&) noexcept = default;
Pages::Pages() = default;
Pages::~Pages() = default;
Pages::Pages(Pages&&) noexcept = default;
Pages& Pages::operator=(Pages&&) noexcept = default;

bool has_paginator(const Service& service, std::string_view operation) {
  return service.paginators().find(operation) != nullptr;
}

Result<Paginator> Paginator::make(const Service& service, std::string_view operation) {
  auto plan = std::make_shared<Plan>();
  plan->where = std::string(service.name) + "." + std::string(operation);
  const auto bad = [&](const std::string& message) {
    return fail(Error{"InvalidModel", message, plan->where, false, 0});
  };
  const Operation* modelled = service.find_operation(operation);
  const json::Value& from = service.paginators()[operation];
  if (modelled == nullptr || !from.is_object())
    return bad("The model does not say how the pages of this operation are turned.");

  plan->input_tokens = texts(from["input_token"]);
  const auto output_tokens = texts(from["output_token"]);
  if (plan->input_tokens.empty() || plan->input_tokens.size() != output_tokens.size())
    return bad("The paginator needs as many input tokens as output tokens, and at least one.");
  for (const std::string& token : plan->input_tokens)
    if (modelled->input == nullptr || modelled->input->find(token) == nullptr)
      return bad("The paginator's input token '" + token + "' is no member of the operation's input.");
  const auto leave_out = [&](const std::string& text) {
    const std::string alternatives = replace_all(text, "||", "|");
    for (const std::string_view part : split(alternatives, '|'))
      if (auto names = names_of(part)) plan->token_keys.push_back(std::move(*names));
  };
  for (const std::string& token : output_tokens) {
    FIXPOINT_TRY(expression, Expression::compile(token));
    plan->output_tokens.push_back(std::move(expression));
    leave_out(token);
  }
  if (const std::string more(from["more_results"].string_or("")); !more.empty()) {
    FIXPOINT_TRY(expression, Expression::compile(more));
    plan->more_results = std::move(expression);
    leave_out(more);
  }
  for (const std::string& key : texts(from["result_key"])) {
    auto names = names_of(key);
    if (!names) return bad("The paginator's result key '" + key + "' is no name.");
    plan->result_keys.push_back(std::move(*names));
  }
  // A token that is a result as well (ListStreams: StreamNames[-1]) stays.
  std::erase_if(plan->token_keys, [&](const Names& names) {
    return std::ranges::find(plan->result_keys, names) != plan->result_keys.end();
  });
  plan->limit_key = from["limit_key"].string_or("");
  if (const Member* limit = modelled->input->find(plan->limit_key))
    plan->limit_is_text = limit->shape->type == ShapeType::String;
  plan->same_token_ends = from["same_token_ends"].bool_or(false);
  Paginator paginator;
  paginator.plan_ = std::move(plan);
  return paginator;
}

Pages Paginator::pages(PageCall call, json::Value input, std::optional<std::int64_t> page_size) const {
  Pages pages;
  pages.plan_ = plan_;
  pages.call_ = std::move(call);
  pages.input_ = input.is_null() ? json::Value(json::Object()) : std::move(input);
  if (page_size && !plan_->limit_key.empty() && pages.input_.find(plan_->limit_key) == nullptr) {
    if (plan_->limit_is_text)
      pages.input_.set(plan_->limit_key, std::to_string(*page_size));
    else
      pages.input_.set(plan_->limit_key, *page_size);
  }
  return pages;
}

Result<std::optional<json::Value>> Pages::next() {
  if (over_) return std::optional<json::Value>();
  FIXPOINT_TRY(page, call_(input_));
  FIXPOINT_CHECK(turn(page));
  return std::optional<json::Value>(std::move(page));
}

// Puts the page's tokens into the input of the next one.
Result<void> Pages::turn(const json::Value& page) {
  over_ = true;
  const auto error = [&](const std::string& message) {
    return fail(Error{"PaginationError", message, plan_->where, false, 0});
  };
  const bool says_more = plan_->more_results && !is_falsy(plan_->more_results->evaluate(page));
  if (plan_->more_results && !says_more) return {};
  json::Array tokens;
  bool any = false;
  bool same = true;
  for (std::size_t i = 0; i < plan_->output_tokens.size(); ++i) {
    json::Value token = plan_->output_tokens[i].evaluate(page);
    if (is_falsy(token)) token = nullptr;
    any = any || !token.is_null();
    same = same && token == input_[plan_->input_tokens[i]];
    tokens.push_back(std::move(token));
  }
  if (!any)
    return says_more ? error("The service says that there is more, and gives no token to ask for it.") : Result<void>();
  if (same && plan_->same_token_ends) return {};
  if (!seen_.insert(sha256(json::print_canonical(tokens))).second || same)
    return error("The service gave the same token for the second time: its pages would go round for ever.");
  if (seen_.size() >= page_limit) return error("There are more than 1,000,000 pages.");
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].is_null())
      input_.as_object().erase(plan_->input_tokens[i]);
    else
      input_.set(plan_->input_tokens[i], std::move(tokens[i]));
  }
  over_ = false;
  return {};
}

Result<json::Value> Paginator::collect(const PageCall& call, json::Value input, std::optional<std::int64_t> page_size,
                                       std::size_t item_limit) const {
  Pages run = pages(call, std::move(input), page_size);
  std::optional<json::Value> whole;
  std::size_t items = 0;
  while (true) {
    FIXPOINT_TRY(page, run.next());
    if (!page) break;
    for (const Names& key : plan_->result_keys) {
      json::Value* more = find(*page, key);
      if (more == nullptr) continue;
      items += items_in(*more);
      if (!whole) continue;
      json::Value* known = find(*whole, key);
      if (known == nullptr || known->is_null())
        put(*whole, key, std::move(*more));
      else
        join(*known, *more);
    }
    if (items > item_limit)
      return fail(Error{"PaginationError", "The pages have more than " + std::to_string(item_limit) + " items.",
                        plan_->where, false, 0});
    if (!whole) whole = std::move(*page);
  }
  for (const Names& key : plan_->token_keys) erase(*whole, key);
  return std::move(*whole);
}

}  // namespace fixpoint::aws
