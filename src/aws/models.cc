#include "aws/models.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

namespace fixpoint::aws {
namespace {

using EntryList = std::vector<const PackEntry*>;
using EntriesByName = std::map<std::string, EntryList, std::less<>>;

// Levenshtein's distance: how many characters have to be changed.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::span<const PackEntry* const> listed(const EntriesByName& names, std::string_view name) {
  const auto at = names.find(name);
  if (at == names.end()) return {};
  return at->second;
}

}  // namespace

struct Models::Slot {
  std::atomic<bool> ready = false;
  std::mutex loading;
  std::shared_ptr<const Service> service;  // written once, before `ready`
  const PackEntry* packed = nullptr;       // one of these two says where it comes from
  const OverlayEntry* overlaid = nullptr;
};

struct Models::Names {
  std::map<std::string_view, std::size_t> by_name;
  EntriesByName by_signing_name;
  EntriesByName by_endpoint_prefix;
  std::map<std::string, const PackEntry*, std::less<>> by_target;
};

Models::Models() : names_(std::make_unique<Names>()) {}
Models::~Models() = default;

Result<std::unique_ptr<Models>> Models::open(const Options& options) {
  std::unique_ptr<Models> models(new Models());
  FIXPOINT_TRY(pack, options.pack.empty() ? ModelPack::embedded() : ModelPack::open(options.pack));
  models->pack_ = std::move(pack);
  if (!options.overlay.empty()) {
    FIXPOINT_TRY(overlay, list_overlay(options.overlay));
    models->overlay_ = std::move(overlay);
  }

  struct Row {
    PackEntry entry;
    std::unique_ptr<Slot> slot;
  };
  std::map<std::string, Row> rows;
  for (const PackEntry& entry : models->pack_.services()) {
    Row row{entry, std::make_unique<Slot>()};
    row.slot->packed = &entry;
    rows.emplace(entry.name, std::move(row));
  }
  for (const OverlayEntry& overlaid : models->overlay_) {
    FIXPOINT_TRY(files, read_overlay(overlaid));
    Row row{describe_model(overlaid.name, files.service), std::make_unique<Slot>()};
    auto sound =
        Service::from_botocore(overlaid.name, files.service, std::move(files.paginators), std::move(files.waiters));
    if (!sound)
      return fail(Error{sound.error().code, sound.error().message, overlaid.file.string() + ": " + sound.error().where,
                        false, 0});
    row.slot->overlaid = &overlaid;
    rows.insert_or_assign(overlaid.name, std::move(row));
  }
  for (auto& [name, row] : rows) {
    models->entries_.push_back(std::move(row.entry));
    models->slots_.push_back(std::move(row.slot));
  }
  models->index();
  return models;
}

void Models::index() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const PackEntry& entry = entries_[i];
    names_->by_name.emplace(entry.name, i);
    names_->by_signing_name[entry.signing_name].push_back(&entry);
    names_->by_endpoint_prefix[entry.endpoint_prefix].push_back(&entry);
    for (const std::string& prefix : entry.target_prefixes) names_->by_target.emplace(prefix, &entry);
  }
}

Result<std::shared_ptr<const Service>> Models::get(std::string_view name) const {
  const auto at = names_->by_name.find(name);
  if (at == names_->by_name.end()) {
    const auto nearest = std::ranges::min_element(
        entries_, {}, [&](const PackEntry& entry) { return distance(name.substr(0, 64), entry.name); });
    std::string message = "There is no model of the service '" + std::string(name.substr(0, 64)) + "'.";
    if (nearest != entries_.end()) message += " The nearest name that there is one of is '" + nearest->name + "'.";
    return fail(Error{"UnknownService", std::move(message), {}, false, 0});
  }
  const Slot& slot = *slots_[at->second];
  if (slot.ready.load(std::memory_order_acquire)) return slot.service;
  return load(at->second);
}

Result<std::shared_ptr<const Service>> Models::load(std::size_t at) const {
  Slot& slot = *slots_[at];
  const std::lock_guard lock(slot.loading);
  if (slot.ready.load(std::memory_order_acquire)) return slot.service;
  FIXPOINT_TRY(files, slot.overlaid != nullptr ? read_overlay(*slot.overlaid) : pack_.read(*slot.packed));
  FIXPOINT_TRY(service, Service::from_botocore(entries_[at].name, files.service, std::move(files.paginators),
                                               std::move(files.waiters)));
  slot.service = std::move(service);
  slot.ready.store(true, std::memory_order_release);
  return slot.service;
}

bool Models::is_loaded(std::string_view name) const {
  const auto at = names_->by_name.find(name);
  return at != names_->by_name.end() && slots_[at->second]->ready.load(std::memory_order_acquire);
}

std::span<const PackEntry* const> Models::by_signing_name(std::string_view signing_name) const {
  const auto found = listed(names_->by_signing_name, signing_name);
  return found.empty() ? by_endpoint_prefix(signing_name) : found;
}

std::span<const PackEntry* const> Models::by_endpoint_prefix(std::string_view endpoint_prefix) const {
  return listed(names_->by_endpoint_prefix, endpoint_prefix);
}

std::optional<Models::Target> Models::by_target(std::string_view header) const {
  const auto dot = header.rfind('.');
  if (dot == std::string_view::npos) return {};
  const auto at = names_->by_target.find(header.substr(0, dot));
  if (at == names_->by_target.end()) return {};
  return Target{at->second, header.substr(dot + 1)};
}

}  // namespace fixpoint::aws
