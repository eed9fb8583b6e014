#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fixpoint::services::sns {

/// What a server signs its notifications with: an RSA key of its own with a certificate that it signed itself. Whoever
/// checks a signature has to trust this server's certificate; AWS's libraries, which take certificates from
/// sns.REGION.amazonaws.com alone, refuse it, and rightly so. Thread-safe.
/// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
class Signer {
 public:
  /// Reads `sns-signing.pem` of the folder (mode 0600), or makes it; an empty folder keeps it in memory. Errors:
  /// ValidationException where the file is damaged or others may read it.
  static Result<std::unique_ptr<Signer>> open(const std::string& folder);
  ~Signer();

  /// Base64. `version` "1" is SHA1withRSA, "2" SHA256withRSA.
  std::string sign(std::string_view text, std::string_view version) const;
  const std::string& certificate_pem() const { return certificate_pem_; }
  /// SimpleNotificationService-HASH.pem, the hash being the certificate's.
  const std::string& certificate_name() const { return certificate_name_; }

 private:
  struct Key;
  Signer() = default;
  std::unique_ptr<Key> key_;
  std::string certificate_pem_;
  std::string certificate_name_;
};

}  // namespace fixpoint::services::sns
