#include "services/sns/signer.h"

#include <future>
#include <iostream>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdexcept>

#include "base/hash.h"
#include "base/text.h"
#include "store/private_file.h"

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

}  // namespace

struct Signer::Made {
  Made(KeyPtr its_key, X509* certificate) : key(std::move(its_key)) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    certificate_pem = text_of(bio.get());
    certificate_name = std::string(certificate_path.substr(1)) + sha256_hex(certificate_pem).substr(0, 32) + ".pem";
  }

  KeyPtr key;
  std::string certificate_pem;
  std::string certificate_name;
};

Signer::~Signer() = default;

std::shared_ptr<const Signer::Made> Signer::make(const std::string& path) {
  KeyPtr key(EVP_RSA_gen(2048));
  const CertificatePtr certificate = key ? self_signed(key.get()) : nullptr;
  if (!certificate) throw std::runtime_error("no RSA key with a certificate can be made");
  if (!path.empty()) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    PEM_write_bio_X509(bio.get(), certificate.get());
    if (const auto written = store::write_private_file(path, text_of(bio.get())); !written)
      std::cerr << "fixpoint: notifications are signed with a key that ends with this server: "
                << written.error().message << std::endl;
  }
  return std::make_shared<const Made>(std::move(key), certificate.get());
}

Result<std::unique_ptr<Signer>> Signer::open(const std::string& folder) {
  std::unique_ptr<Signer> signer(new Signer());
  const std::string path = folder.empty() ? "" : folder + "/sns-signing.pem";
  auto text = path.empty() ? Result<std::string>(fail(errors::resource_not_found(""))) : store::read_private_file(path);
  if (!text && text.error().code != "ResourceNotFoundException") return fail(std::move(text.error()));
  if (!text) {
    // Finding two primes takes a third of a second: not while a server that starts is waited for.
    signer->made_ = std::async(std::launch::async, [path] { return make(path); }).share();
    return signer;
  }
  const BioPtr bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!key || !certificate)
    return fail(errors::validation(path + " holds no key and certificate; delete it to have a new one made"));
  std::promise<std::shared_ptr<const Made>> made;
  made.set_value(std::make_shared<const Made>(std::move(key), certificate.get()));
  signer->made_ = made.get_future().share();
  return signer;
}

const std::string& Signer::certificate_pem() const {
  return made_.get()->certificate_pem;
}

const std::string& Signer::certificate_name() const {
  return made_.get()->certificate_name;
}

std::string Signer::sign(std::string_view text, std::string_view version) const {
  const auto made = made_.get();
  const DigestPtr digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(digest.get(), nullptr, version == "2" ? EVP_sha256() : EVP_sha1(), nullptr, made->key.get()) !=
          1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) != 1)
    return {};
  std::string out(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) != 1)
    return {};
  out.resize(size);
  return base64_encode(out);
}

}  // namespace fixpoint::services::sns
