#include "findings/documents.h"

#include <zdict.h>
#include <zstd.h>

namespace fixpoint::findings {
namespace {

constexpr int level = 3;
constexpr std::size_t dictionary_bytes = 64UL * 1024;
constexpr std::size_t samples_wanted = 1000;
constexpr std::size_t sample_limit_bytes = 32UL * 1024;         // of one document
constexpr std::size_t samples_limit_bytes = 8UL * 1024 * 1024;  // of all together

// zstd keeps 1 to 32767 for dictionaries that are registered, so ours are numbered from 32768 on.
constexpr unsigned first_number = 32768;

Error broken(std::string_view what) {
  return errors::coded("StoreError", "a finding's document cannot be unpacked: " + std::string(what), 500);
}

struct FreeC {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

}  // namespace

const char* const Documents::tables = R"sql(
CREATE TABLE finding_dictionary (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
)sql";

struct Documents::Dictionary {
  Dictionary(unsigned with_number, std::string_view bytes)
      : number(with_number),
        pack(ZSTD_createCDict(bytes.data(), bytes.size(), level)),
        unpack(ZSTD_createDDict(bytes.data(), bytes.size())) {}
  unsigned number;
  std::unique_ptr<ZSTD_CDict, FreeC> pack;
  std::unique_ptr<ZSTD_DDict, FreeC> unpack;
};

Documents::Documents() = default;
Documents::~Documents() = default;

std::string Documents::pack(std::string_view document) {
  std::shared_ptr<const Dictionary> with;
  {
    std::lock_guard lock(mutex_);
    with = newest_;
    if (!with && !asked_ && document.size() <= sample_limit_bytes &&
        sample_bytes_ + document.size() <= samples_limit_bytes && samples_.size() < samples_wanted) {
      samples_.emplace_back(document);
      sample_bytes_ += document.size();
    }
  }
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeC> context(ZSTD_createCCtx());
  std::string out(ZSTD_compressBound(document.size()), '\0');
  const std::size_t size =
      with ? ZSTD_compress_usingCDict(context.get(), out.data(), out.size(), document.data(), document.size(),
                                      with->pack.get())
           : ZSTD_compressCCtx(context.get(), out.data(), out.size(), document.data(), document.size(), level);
  // With room for the worst case, nothing but a lack of memory makes zstd fail.
  if (ZSTD_isError(size) != 0) throw std::bad_alloc();
  out.resize(size);
  return out;
}

Result<std::string> Documents::unpack(store::Session& session, std::string_view packed) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > document_limit_bytes)
    return fail(broken("its length is not what a document's can be"));
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeC> context(ZSTD_createDCtx());
  std::string out(static_cast<std::size_t>(size), '\0');
  std::size_t got = 0;
  if (const unsigned number = ZSTD_getDictID_fromFrame(packed.data(), packed.size()); number != 0) {
    FIXPOINT_TRY(with, dictionary(session, number));
    got = ZSTD_decompress_usingDDict(context.get(), out.data(), out.size(), packed.data(), packed.size(),
                                     with->unpack.get());
  } else {
    got = ZSTD_decompressDCtx(context.get(), out.data(), out.size(), packed.data(), packed.size());
  }
  if (ZSTD_isError(got) != 0) return fail(broken(ZSTD_getErrorName(got)));
  return out;
}

Result<std::shared_ptr<const Documents::Dictionary>> Documents::dictionary(store::Session& session, unsigned number) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = known_.find(number); found != known_.end()) return found->second;
  }
  FIXPOINT_TRY(rows, session.query("SELECT bytes FROM finding_dictionary WHERE number = ?",
                                   {static_cast<std::int64_t>(number)}));
  if (rows.empty()) return fail(broken("dictionary " + std::to_string(number) + " is not in the store"));
  auto made = std::make_shared<const Dictionary>(number, rows[0].text(0));
  if (!made->pack || !made->unpack) return fail(broken("dictionary " + std::to_string(number) + " is none"));
  std::lock_guard lock(mutex_);
  known_.emplace(number, made);
  return made;
}

void Documents::keep(std::shared_ptr<const Dictionary> made) {
  std::lock_guard lock(mutex_);
  known_.emplace(made->number, made);
  if (!newest_ || newest_->number < made->number) newest_ = std::move(made);
  samples_ = {};
  sample_bytes_ = 0;
}

bool Documents::wants_training() {
  std::lock_guard lock(mutex_);
  if (newest_ || asked_ || samples_.size() < samples_wanted) return false;
  asked_ = true;
  return true;
}

Result<void> Documents::train(store::Store& store) {
  std::vector<std::string> samples;
  {
    std::lock_guard lock(mutex_);
    samples.swap(samples_);
  }
  std::string all;
  std::vector<std::size_t> sizes;
  for (const std::string& sample : samples) {
    all += sample;
    sizes.push_back(sample.size());
  }
  std::string bytes(dictionary_bytes, '\0');
  const std::size_t size =
      ZDICT_trainFromBuffer(bytes.data(), bytes.size(), all.data(), sizes.data(), static_cast<unsigned>(sizes.size()));
  // Documents that have nothing in common: then they are packed without.
  if (ZDICT_isError(size) != 0) return {};
  bytes.resize(size);
  FIXPOINT_TRY(number, store.write([&](store::Transaction& tx) -> Result<unsigned> {
    FIXPOINT_TRY(rows, tx.query("SELECT COALESCE(MAX(number), 0) FROM finding_dictionary"));
    const unsigned next = std::max(first_number, static_cast<unsigned>(rows[0].integer(0)) + 1);
    std::string numbered = bytes;
    // The dictionary's number stands in its second four bytes, little-endian (zstd's format, section 5).
    for (unsigned i = 0; i < 4; ++i) numbered[4 + i] = static_cast<char>((next >> (8 * i)) & 0xFF);
    FIXPOINT_CHECK(tx.execute("INSERT INTO finding_dictionary (number, bytes) VALUES (?, ?)",
                              {static_cast<std::int64_t>(next), store::Blob{std::move(numbered)}}));
    return next;
  }));
  return store.read([&](store::Session& session) -> Result<void> {
    FIXPOINT_TRY(made, dictionary(session, number));
    keep(made);
    return {};
  });
}

Result<void> Documents::load(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT COALESCE(MAX(number), 0) FROM finding_dictionary"));
  if (rows[0].integer(0) == 0) return {};
  FIXPOINT_TRY(made, dictionary(session, static_cast<unsigned>(rows[0].integer(0))));
  keep(made);
  return {};
}

}  // namespace fixpoint::findings
