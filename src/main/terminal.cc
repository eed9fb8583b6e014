#include "main/terminal.h"

#include <algorithm>
#include <ostream>
#include <streambuf>
#include <string>

namespace fixpoint::main {

class Harmless::Buffer : public std::streambuf {
 public:
  explicit Buffer(std::streambuf* under) : under_(under) {}
  std::streambuf* under() const { return under_; }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    return under_->sputc(harmless(traits_type::to_char_type(c)));
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    std::string out(text, static_cast<std::size_t>(size));
    std::transform(out.begin(), out.end(), out.begin(), harmless);
    return under_->sputn(out.data(), size);
  }
  int sync() override { return under_->pubsync(); }

 private:
  static char harmless(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c; }

  std::streambuf* under_;
};

Harmless::Harmless(std::ostream& stream) : stream_(stream), buffer_(std::make_unique<Buffer>(stream.rdbuf())) {
  stream_.rdbuf(buffer_.get());
}

Harmless::~Harmless() {
  stream_.flush();
  stream_.rdbuf(buffer_->under());
}

}  // namespace fixpoint::main
