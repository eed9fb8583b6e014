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

}  // namespace fixpoint::sandbox::s3
