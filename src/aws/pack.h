#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// What a pack's index says of a service, so that requests can be routed before any model is loaded.
struct PackEntry {
  std::string name;                          ///< botocore's folder name: `stepfunctions`, `elbv2`
  std::string version;                       ///< `2016-11-23`
  std::vector<std::string> protocols;        ///< as botocore names them, the one that a client speaks first
  std::string endpoint_prefix;               ///< `states`
  std::string signing_name;                  ///< in the credential scope: `states`
  std::vector<std::string> target_prefixes;  ///< of X-Amz-Target, without the dot; empty where there is none
  std::size_t operations = 0;
  std::size_t offset = 0;       ///< of the service's frame within all frames
  std::size_t packed_size = 0;  ///< bytes
  std::size_t size = 0;         ///< bytes, unpacked
};

/// A service's model as in botocore's files; `paginators` and `waiters` are null where the service has none.
struct ServiceFiles {
  json::Value service;     ///< service-2.json
  json::Value paginators;  ///< paginators-1.json
  json::Value waiters;     ///< waiters-2.json
};

/// The service models that the binary carries: an index and one compressed frame a service (tools/models/build.mjs
/// writes it and says its bytes). Immutable and thread-safe; nothing but the index is unpacked before it is asked for.
class ModelPack {
 public:
  /// The pack in the binary.
  static Result<ModelPack> embedded();
  /// A pack in a file, held in memory. Errors: `InvalidModelPack` with the file in `where`.
  static Result<ModelPack> open(const std::filesystem::path& file);

  /// Sorted by name.
  std::span<const PackEntry> services() const { return services_; }
  /// Null where the pack has no such service.
  const PackEntry* find(std::string_view name) const;
  /// Unpacks and parses one service. Errors: `InvalidModelPack` where its bytes are damaged.
  Result<ServiceFiles> read(const PackEntry& entry) const;
  /// Bytes, packed.
  std::size_t size() const { return bytes_.size(); }

 private:
  static Result<ModelPack> over(std::string_view bytes, std::string where);

  std::shared_ptr<const std::string> owned_;  // null for the embedded one
  std::string_view bytes_;
  std::string_view frames_;
  std::string where_;
  std::vector<PackEntry> services_;
};

/// Models of the user's own in botocore's form, which replace or add services: DIR/SERVICE/VERSION/service-2.json (the
/// newest version, with its paginators-1.json and waiters-2.json where they lie beside it) or DIR/SERVICE.json, each as
/// it is or in gzip (`.json.gz`), of at most 64 MiB.
struct OverlayEntry {
  std::string name;
  std::filesystem::path file;
};
/// Lists them, sorted by name. Error: `InvalidModel` where DIR is no folder, has a service in both
/// forms, or has none.
Result<std::vector<OverlayEntry>> list_overlay(const std::filesystem::path& folder);
/// Reads one. Error: `InvalidModel`, naming the file and what is wrong with it.
Result<ServiceFiles> read_overlay(const OverlayEntry& entry);
/// What a model says of itself; `name` stands in for an endpoint prefix that it does not say.
PackEntry describe_model(std::string_view name, const json::Value& service);

}  // namespace fixpoint::aws
