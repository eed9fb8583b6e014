#include "base/seal.h"

#include <cstdlib>
#include <memory>
#include <openssl/evp.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"

namespace fixpoint {
namespace {

// A byte for the form, so that another one can be told apart later; the nonce; the text; the tag.
constexpr char form = 1;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

struct Freed {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Freed>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string seal(std::string_view key, std::string_view text, std::string_view about) {
  const Context context(EVP_CIPHER_CTX_new());
  const std::string secret = sha256(key);
  const std::string nonce = random_bytes(nonce_bytes);
  std::string out(text.size(), '\0');
  std::string tag(tag_bytes, '\0');
  int size = 0;
  const bool done =
      context &&
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), bytes_of(secret), bytes_of(nonce), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, bytes_of(about), static_cast<int>(about.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), bytes_of(out), &size, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes_of(tag), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag.data()) == 1;
  if (!done) std::abort();  // a library without its cipher: nothing that needs secrets may go on
  return base64_encode(form + nonce + out + tag);
}

std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed, std::string_view about) {
  const auto raw = base64_decode(sealed);
  if (!raw || raw->size() < 1 + nonce_bytes + tag_bytes || (*raw)[0] != form) return {};
  const std::string_view all = *raw;
  const std::string_view nonce = all.substr(1, nonce_bytes);
  const std::string_view body = all.substr(1 + nonce_bytes, all.size() - 1 - nonce_bytes - tag_bytes);
  std::string tag(all.substr(all.size() - tag_bytes));
  const Context context(EVP_CIPHER_CTX_new());
  const std::string secret = sha256(key);
  std::string out(body.size(), '\0');
  int size = 0;
  const bool whole =
      context &&
      EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), bytes_of(secret), bytes_of(nonce), nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, bytes_of(about), static_cast<int>(about.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes_of(out), &size, bytes_of(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes_of(tag), &size) == 1;
  if (!whole) return {};
  return out;
}

}  // namespace fixpoint
