#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "aws/model.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// Makes one call of the operation with that input.
using PageCall = std::function<Result<json::Value>(const json::Value& input)>;

class Pages;

/// How an operation that gives its result in pages is asked for all of it, after the model's paginators-1.json.
/// Immutable and thread-safe. Means the same as botocore's paginate.py, but never stops short without saying so.
class Paginator {
 public:
  /// Errors: `InvalidModel` where the operation has no paginator (see has_paginator), or the model's cannot be read.
  static Result<Paginator> make(const Service& service, std::string_view operation);
  ~Paginator();
  Paginator(Paginator&&) noexcept;
  Paginator& operator=(Paginator&&) noexcept;

  /// `page_size` goes into the operation's limit member, where it has one and `input` does not set it.
  /// The pages keep what they need of the paginator; `call` is made once a page.
  Pages pages(PageCall call, json::Value input, std::optional<std::int64_t> page_size = {}) const;

  /// All pages as one result: the lists (or maps, or sums of numbers) of the result keys joined, other members as the
  /// first page has them. Of a nested result key (`DistributionList.Items`) the parents stay as the first page has
  /// them, tokens and all. Errors: the call's; `PaginationError` (see Pages::next), also past `item_limit` items.
  Result<json::Value> collect(const PageCall& call, json::Value input, std::optional<std::int64_t> page_size = {},
                              std::size_t item_limit = 1'000'000) const;

 private:
  friend class Pages;
  struct Plan;
  Paginator();
  std::shared_ptr<const Plan> plan_;
};

/// True where the model says how the operation's pages are turned.
bool has_paginator(const Service& service, std::string_view operation);

/// The pages of one run, one after the other. Not thread-safe.
class Pages {
 public:
  ~Pages();
  Pages(Pages&&) noexcept;
  Pages& operator=(Pages&&) noexcept;

  /// The next page as the service answered it, or nothing after the last. Errors: the call's, after which the same page
  /// may be asked for again; `PaginationError` where a token comes for the second time (the pages would go round for
  /// ever), where the service says that there is more but not where, or past 1,000,000 pages.
  Result<std::optional<json::Value>> next();

 private:
  friend class Paginator;
  Pages();
  Result<void> turn(const json::Value& page);

  std::shared_ptr<const Paginator::Plan> plan_;
  PageCall call_;
  json::Value input_;
  bool over_ = false;
  std::unordered_set<std::string> seen_;  // digests of the tokens so far
};

}  // namespace fixpoint::aws
