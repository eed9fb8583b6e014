#include "services/sns/signer.h"

#include <fstream>
#include <iterator>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::services::sns {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

constexpr long ten_years_s = 10L * 365 * 24 * 3600;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

CertificatePtr self_signed(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ten_years_s);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("fixpoint notifications"),
                             -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) return nullptr;
  return certificate;
}

Result<void> write_private(const std::string& path, const std::string& text) {
  const mode_t before = umask(0077);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  umask(before);
  if (!out) return fail(errors::validation("cannot write " + path));
  return {};
}

}  // namespace

struct Signer::Key {
  KeyPtr pkey;
};

Signer::~Signer() = default;

Result<std::unique_ptr<Signer>> Signer::open(const std::string& folder) {
  std::unique_ptr<Signer> signer(new Signer());
  signer->key_ = std::make_unique<Key>();
  CertificatePtr certificate;
  const std::string path = folder.empty() ? "" : folder + "/sns-signing.pem";
  std::ifstream in(path, std::ios::binary);
  if (!path.empty() && in) {
    struct stat status{};
    if (stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
      return fail(errors::validation(path + " can be read by others; its mode has to be 0600"));
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    signer->key_->pkey.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!signer->key_->pkey || !certificate)
      return fail(errors::validation(path + " holds no key and certificate; delete it to have a new one made"));
  } else {
    signer->key_->pkey.reset(EVP_RSA_gen(2048));
    if (!signer->key_->pkey) return fail(errors::internal("no RSA key can be made"));
    certificate = self_signed(signer->key_->pkey.get());
    if (!certificate) return fail(errors::internal("no certificate can be made"));
    if (!path.empty()) {
      const BioPtr bio(BIO_new(BIO_s_mem()));
      PEM_write_bio_PrivateKey(bio.get(), signer->key_->pkey.get(), nullptr, nullptr, 0, nullptr, nullptr);
      PEM_write_bio_X509(bio.get(), certificate.get());
      FIXPOINT_CHECK(write_private(path, text_of(bio.get())));
    }
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  signer->certificate_pem_ = text_of(bio.get());
  signer->certificate_name_ =
      "SimpleNotificationService-" + sha256_hex(signer->certificate_pem_).substr(0, 32) + ".pem";
  return signer;
}

std::string Signer::sign(std::string_view text, std::string_view version) const {
  const DigestPtr digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(digest.get(), nullptr, version == "2" ? EVP_sha256() : EVP_sha1(), nullptr,
                         key_->pkey.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) != 1)
    return {};
  std::string out(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) != 1)
    return {};
  out.resize(size);
  return base64_encode(out);
}

}  // namespace fixpoint::services::sns
