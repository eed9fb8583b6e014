#include "base/error.h"

#include "base/utf8.h"

namespace fixpoint {
namespace errors {
namespace {

// A sentence quotes what it was given, at times cut at a number of bytes: it is UTF-8 all the same.
Error make(std::string_view code, std::string message, std::string where, int status, bool retryable = false) {
  return Error{std::string(code), valid_utf8(std::move(message)), valid_utf8(std::move(where)), retryable, status, 0};
}

}  // namespace

Error validation(std::string message, std::string where) {
  return make("ValidationException", std::move(message), std::move(where), 400);
}
Error invalid_input(std::string message, std::string where) {
  return make("InvalidInputException", std::move(message), std::move(where), 400);
}
Error serialization(std::string message, std::string where) {
  return make("SerializationException", std::move(message), std::move(where), 400);
}
Error resource_not_found(std::string message, std::string where) {
  return make("ResourceNotFoundException", std::move(message), std::move(where), 404);
}
Error resource_conflict(std::string message, std::string where) {
  return make("ResourceConflictException", std::move(message), std::move(where), 409);
}
Error access_denied(std::string message, std::string where) {
  return make("AccessDeniedException", std::move(message), std::move(where), 403);
}
Error unknown_operation(std::string message, std::string where) {
  return make("UnknownOperationException", std::move(message), std::move(where), 404);
}
Error not_implemented(std::string message, std::string where) {
  return make("NotImplemented", std::move(message), std::move(where), 501);
}
Error internal(std::string message, std::string where) {
  return make("InternalFailure", std::move(message), std::move(where), 500);
}
Error unavailable(std::string message, std::string where) {
  return make("ServiceUnavailable", std::move(message), std::move(where), 503, true);
}
Error throttling(std::string message, std::string where) {
  return make("ThrottlingException", std::move(message), std::move(where), 400, true);
}
Error too_large(std::string message, std::string where) {
  return make("RequestEntityTooLarge", std::move(message), std::move(where), 413);
}
Error coded(std::string code, std::string message, int status) {
  return Error{std::move(code), valid_utf8(std::move(message)), {}, false, status};
}

}  // namespace errors

std::string describe(const Error& error) {
  std::string text = error.code + ": " + error.message;
  if (!error.where.empty()) text += " (at " + error.where + ")";
  return text;
}

}  // namespace fixpoint
