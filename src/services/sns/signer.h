#pragma once

#include <future>
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
  /// Reads `sns-signing.pem` of the folder (mode 0600), or begins to make it, on which whoever needs it first waits; an
  /// empty folder keeps it in memory. Errors: ValidationException where the file is damaged or others may read it.
  static Result<std::unique_ptr<Signer>> open(const std::string& folder);
  ~Signer();

  /// Base64. `version` "1" is SHA1withRSA, "2" SHA256withRSA.
  std::string sign(std::string_view text, std::string_view version) const;
  const std::string& certificate_pem() const;
  /// What the path of a certificate begins with, so that no other request waits for it.
  static constexpr std::string_view certificate_path = "/SimpleNotificationService-";
  /// SimpleNotificationService-HASH.pem, the hash being the certificate's.
  const std::string& certificate_name() const;

 private:
  struct Made;
  Signer() = default;
  static std::shared_ptr<const Made> make(const std::string& path);
  std::shared_future<std::shared_ptr<const Made>> made_;
};

}  // namespace fixpoint::services::sns
