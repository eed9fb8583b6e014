#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::s3 {

/// Puts the ACL that the call asks for (a canned one, grants in headers or a whole policy) into the bucket or object.
/// `around` is the bucket that an object is in; null for a bucket itself. Without any of the three nothing changes.
/// Errors: AccessControlListNotSupported, AccessDenied (public access is blocked), MalformedACLError.
Result<void> apply_acl(Request& request, json::Value& target, const Document& around);

/// A call that is there to set an ACL has to say which. Error: MissingSecurityHeader.
Result<void> check_acl_given(const Request& request);

/// The ACL as GetBucketAcl and GetObjectAcl give it.
json::Value read_acl(const json::Value& target, std::string_view account);

/// Policies and ACLs of buckets.
void add_access(Operations& table);

}  // namespace fixpoint::sandbox::s3
