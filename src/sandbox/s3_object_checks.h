#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::s3 {

/// Whether a version id names the version that an object has: there is one, whose id is "null", and a call without an
/// id means it too. False for an id that S3 could have made. Error: InvalidArgument for what is no version id.
Result<bool> is_the_version(const json::Value& id);

/// Refuses what a call asks for and no object here has: keys of the customer's, holds and retention, appended bytes.
/// `bucket` is the one that is written to; null where an object is read.
/// Errors: NotImplemented naming the member; InvalidRequest for a hold in a bucket without Object Lock.
Result<void> check_members(const Request& request, const Document& bucket);

/// `x-amz-storage-class`. Error: InvalidStorageClass.
Result<void> check_storage_class(const Request& request);

/// Sets the checksum of an object whose bytes these are: the one that the call states, of the algorithm that it names,
/// else CRC64NVME. Errors: BadDigest for one that is stated and wrong; InvalidRequest.
Result<void> set_checksum(const Request& request, std::string_view bytes, json::Value& object);

/// Checksum and its type, as answers have them.
void copy_checksum(const json::Value& object, json::Object& out);

/// Sets how an object is encrypted: as the call says, else as the bucket does. Errors: InvalidArgument;
/// KMS.NotFoundException, KMS.DisabledException and KMS.KMSInvalidStateException for a key that cannot be used.
Result<void> set_encryption(Request& request, const json::Value& bucket, json::Value& object);

/// Metadata of the user's with its names in lower case, as it comes back.
json::Value lower_names(const json::Value& metadata);

}  // namespace fixpoint::sandbox::s3
