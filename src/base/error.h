#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace fixpoint {

/// A failure for a reason outside the program, in AWS's own words.
struct Error {
  std::string code;        ///< an AWS error code: `ValidationException`, `ResourceNotFoundException`, `NoSuchBucket`
  std::string message;     ///< a sentence: what was wrong, where, and what would be right
  std::string where;       ///< the place, where there is one: a member's path, a file and line; may be empty
  bool retryable = false;  ///< true where the same call may succeed when it is made again
  int http_status = 0;     ///< the HTTP status that goes with the code; 0 where the service's model says it
  std::int64_t retry_after_ms = 0;  ///< of a retryable one: how long to wait before; 0 where nothing says it

  bool operator==(const Error&) const = default;
};

/// `where` of a call that failed before anything of it was sent: it was surely not made.
inline constexpr std::string_view before_sending = "before sending";

/// A value or the reason why there is none.
template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(errors::validation("..."))` from a function that returns a Result.
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

/// Factories by name. Each gives the code that AWS uses for the case, and its usual HTTP status.
namespace errors {

Error validation(std::string message, std::string where = {});     ///< ValidationException, 400
Error invalid_input(std::string message, std::string where = {});  ///< InvalidInputException, 400 (Security Hub)
Error serialization(std::string message,
                    std::string where = {});  ///< SerializationException, 400: the bytes do not fit the protocol
Error resource_not_found(std::string message, std::string where = {});  ///< ResourceNotFoundException, 404
Error resource_conflict(std::string message, std::string where = {});   ///< ResourceConflictException, 409
Error access_denied(std::string message, std::string where = {});       ///< AccessDeniedException, 403
Error unknown_operation(std::string message, std::string where = {});   ///< UnknownOperationException, 404
Error not_implemented(std::string message,
                      std::string where = {});                   ///< NotImplemented, 501: fixpoint does not have this
Error internal(std::string message, std::string where = {});     ///< InternalFailure, 500
Error unavailable(std::string message, std::string where = {});  ///< ServiceUnavailable, 503; retryable
Error throttling(std::string message, std::string where = {});   ///< ThrottlingException, 400; retryable
Error too_large(std::string message, std::string where = {});    ///< RequestEntityTooLarge, 413
/// Any other code; `status` 0 leaves it to the service's model.
Error coded(std::string code, std::string message, int status = 0);

}  // namespace errors

/// "CODE: message (at where)", for people and logs.
std::string describe(const Error& error);

}  // namespace fixpoint

/// Binds `name` to the value of `expression`, or returns its error from the enclosing function.
#define FIXPOINT_JOIN_(a, b) a##b
#define FIXPOINT_JOIN(a, b) FIXPOINT_JOIN_(a, b)
#define FIXPOINT_TRY_(temp, name, expression)                  \
  auto temp = (expression);                                    \
  if (!temp) return ::fixpoint::fail(std::move(temp.error())); \
  auto&& name = *temp
#define FIXPOINT_TRY(name, expression) FIXPOINT_TRY_(FIXPOINT_JOIN(fixpoint_result_, __LINE__), name, expression)

/// Returns the error of `expression`, a Result<void> or one whose value is not wanted, from the enclosing function.
/// Ends in an else of its own, so that an else behind it belongs to the if before it; the switch tells the compiler
/// that this is meant.
#define FIXPOINT_CHECK(expression)                                \
  switch (0)                                                      \
  case 0:                                                         \
  default:                                                        \
    if (auto fixpoint_checked = (expression); fixpoint_checked) { \
    } else                                                        \
      return ::fixpoint::fail(std::move(fixpoint_checked.error()))
