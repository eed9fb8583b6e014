#include "aws/pack.h"

#include <algorithm>
#include <fstream>
#include <zstd.h>

#include "json/text.h"

// The assembler puts the pack between these two.
extern "C" {
extern const char fixpoint_model_pack_start[];
extern const char fixpoint_model_pack_end[];
}

namespace fixpoint::aws {
namespace {

constexpr std::string_view magic = "FXMODEL1";
constexpr std::size_t header_bytes = 12;
// A service's model unpacked; EC2's, the largest, has less than 3 MB.
constexpr std::size_t service_limit_bytes = 32UL * 1024 * 1024;

Error damaged(std::string where, std::string_view what) {
  return Error{"InvalidModelPack", "The pack of service models is damaged: " + std::string(what) + ".",
               std::move(where), false, 0};
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::vector<std::string> texts(const json::Value& list) {
  std::vector<std::string> result;
  if (list.is_array())
    for (const json::Value& item : list.as_array()) result.emplace_back(item.string_or(""));
  return result;
}

std::size_t size_of(const json::Value& number) {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, number.int_or(0)));
}

json::Value take(json::Value& from, std::string_view key) {
  json::Value* found = from.is_object() ? from.as_object().find(key) : nullptr;
  return found != nullptr ? std::move(*found) : json::Value();
}

}  // namespace

Result<ModelPack> ModelPack::embedded() {
  return over(
      {fixpoint_model_pack_start, static_cast<std::size_t>(fixpoint_model_pack_end - fixpoint_model_pack_start)},
      "the binary");
}

Result<ModelPack> ModelPack::open(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return fail(Error{"InvalidModelPack", "The pack of service models cannot be read.", file.string(), false, 0});
  auto bytes = std::make_shared<std::string>(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  auto pack = over(*bytes, file.string());
  if (pack) pack->owned_ = std::move(bytes);
  return pack;
}

Result<ModelPack> ModelPack::over(std::string_view bytes, std::string where) {
  if (!bytes.starts_with(magic) || bytes.size() < header_bytes)
    return fail(damaged(std::move(where), "it does not begin with " + std::string(magic)));
  const std::size_t index_bytes = little_endian(bytes.substr(magic.size(), 4));
  if (index_bytes > bytes.size() - header_bytes) return fail(damaged(std::move(where), "its index is cut off"));
  const auto index = json::parse(bytes.substr(header_bytes, index_bytes));
  if (!index) return fail(damaged(std::move(where), "its index is no JSON: " + describe(index.error())));

  ModelPack pack;
  pack.bytes_ = bytes;
  pack.frames_ = bytes.substr(header_bytes + index_bytes);
  const json::Value& services = (*index)["services"];
  for (std::size_t i = 0; i < services.size(); ++i) {
    const json::Value& from = services[i];
    PackEntry entry;
    entry.name = from["name"].string_or("");
    entry.version = from["version"].string_or("");
    entry.protocols = texts(from["protocols"]);
    entry.endpoint_prefix = from["endpointPrefix"].string_or("");
    entry.signing_name = from["signingName"].string_or("");
    entry.target_prefixes = texts(from["targetPrefixes"]);
    entry.operations = size_of(from["operations"]);
    entry.offset = size_of(from["offset"]);
    entry.packed_size = size_of(from["size"]);
    entry.size = size_of(from["raw"]);
    if (entry.name.empty() || entry.offset > pack.frames_.size() ||
        entry.packed_size > pack.frames_.size() - entry.offset || entry.size > service_limit_bytes)
      return fail(damaged(std::move(where), "the index says of '" + entry.name + "' what cannot be"));
    pack.services_.push_back(std::move(entry));
  }
  std::ranges::sort(pack.services_, {}, &PackEntry::name);
  pack.where_ = std::move(where);
  return pack;
}

const PackEntry* ModelPack::find(std::string_view name) const {
  const auto at =
      std::ranges::lower_bound(services_, name, {}, [](const PackEntry& e) { return std::string_view(e.name); });
  return at != services_.end() && at->name == name ? &*at : nullptr;
}

Result<ServiceFiles> ModelPack::read(const PackEntry& entry) const {
  const std::string where = where_ + ": " + entry.name;
  const std::string_view frame = frames_.substr(entry.offset, entry.packed_size);
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != entry.size)
    return fail(damaged(where, "the frame's size is not the index's"));
  std::string text(entry.size, '\0');
  const std::size_t unpacked = ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != entry.size)
    return fail(damaged(where, "the frame cannot be unpacked"));
  auto files = json::parse(text);
  if (!files) return fail(damaged(where, "the frame is no JSON"));
  return ServiceFiles{take(*files, "service"), take(*files, "paginators"), take(*files, "waiters")};
}

PackEntry describe_model(std::string_view name, const json::Value& service) {
  const json::Value& metadata = service["metadata"];
  PackEntry entry;
  entry.name = name;
  entry.version = metadata["apiVersion"].string_or("");
  entry.protocols = texts(metadata["protocols"]);
  if (entry.protocols.empty()) entry.protocols.emplace_back(metadata["protocol"].string_or(""));
  entry.endpoint_prefix = metadata["endpointPrefix"].string_or(name);
  entry.signing_name = metadata["signingName"].string_or(entry.endpoint_prefix);
  entry.target_prefixes = texts(metadata["targetPrefixes"]);
  if (const auto prefix = metadata["targetPrefix"].string_or(""); entry.target_prefixes.empty() && !prefix.empty())
    entry.target_prefixes.emplace_back(prefix);
  entry.operations = service["operations"].size();
  return entry;
}

}  // namespace fixpoint::aws
