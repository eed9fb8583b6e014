#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::s3 {

Scope bucket_scope();
/// Objects by "BUCKET/KEY"; their bytes, in base64, are the content of the same id.
Scope object_scope();

/// The bucket that the call names, if it is the caller's. Errors: NoSuchBucket, AccessDenied.
Result<Document> bucket_of(Request& request);

/// Id and display name of an account, as they stand in owner and grantee.
json::Value owner(std::string_view account);
std::string canonical_id(std::string_view account);

tl::unexpected<Error> refuse(std::string code, int status, std::string message);
tl::unexpected<Error> malformed_xml();
/// Keys and values of tags, and how many of them. Errors: InvalidTag, BadRequest.
Result<void> check_tags(const json::Value& tags, std::size_t most);

void add_lifecycle(Operations& table);
/// What S3 asks of a setting before the declared operation keeps it.
void add_checks(Services& services);

}  // namespace fixpoint::sandbox::s3
