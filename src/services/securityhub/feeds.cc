#include "services/securityhub/feeds.h"

#include <algorithm>

#include "base/arn.h"
#include "json/text.h"
#include "services/securityhub/hub.h"

namespace fixpoint::services::hub {

bool FeedMap::Aggregator::links(const std::string& other) const {
  if (other == region || partition_of_region(other) != partition_of_region(region)) return false;
  if (mode == "ALL_REGIONS") return true;
  if (mode == "ALL_REGIONS_EXCEPT_SPECIFIED") return !named.contains(other);
  return mode == "SPECIFIED_REGIONS" && named.contains(other);
}

Result<FeedMap> FeedMap::read(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT kind, account, region, id, body FROM hub_record WHERE kind IN (?, ?, ?)",
                                   {member_kind, aggregator_kind, hub_kind}));
  FeedMap out;
  for (store::Row& row : rows) {
    const std::string kind = row.take(0);
    const Place place{row.take(1), row.take(2)};
    FIXPOINT_TRY(body, json::parse(row.text(4)));
    if (kind == hub_kind) {
      if (!body["On"].bool_or(true)) out.off_.insert(place);
    } else if (kind == aggregator_kind) {
      Aggregator made{place.second, std::string(body["RegionLinkingMode"].string_or("")), {}};
      for (std::size_t i = 0; i < body["Regions"].size(); ++i) made.named.emplace(body["Regions"][i].string_or(""));
      out.aggregators_[place.first].push_back(std::move(made));
      out.collecting_.insert(place);
    } else if (body["MemberStatus"].string_or("") != "Removed") {
      out.administrators_[row.take(3)].push_back(place);
      out.collecting_.insert(place);
    }
  }
  return out;
}

std::vector<FeedMap::Place> FeedMap::of(const std::string& account, const std::string& region) const {
  std::vector<Place> out;
  const auto add = [&](const std::string& of_account, const std::string& of_region) {
    Place place{of_account, of_region};
    const bool own = of_account == account && of_region == region;
    if (!own && !off_.contains(place) && std::find(out.begin(), out.end(), place) == out.end())
      out.push_back(std::move(place));
  };
  const auto add_aggregation = [&](const std::string& of_account, const std::string* only_with) {
    const auto found = aggregators_.find(of_account);
    if (found == aggregators_.end()) return;
    for (const Aggregator& one : found->second)
      if (one.links(region) && (only_with == nullptr || *only_with == region || *only_with == one.region))
        add(of_account, one.region);
  };
  if (const auto found = administrators_.find(account); found != administrators_.end()) {
    for (const auto& [administrator, associated_in] : found->second) {
      if (associated_in == region) add(administrator, region);
      add_aggregation(administrator, &associated_in);
    }
  }
  add_aggregation(account, nullptr);
  return out;
}

std::shared_ptr<const FeedMap> Feeds::at_hand(std::uint64_t version) {
  std::lock_guard lock(mutex_);
  return version_ == version ? map_ : nullptr;
}

Result<std::shared_ptr<const FeedMap>> Feeds::get() {
  const std::uint64_t version = records_.store().kept_version();
  if (auto there = at_hand(version)) return there;
  FIXPOINT_TRY(read, records_.store().read([](store::Session& session) { return FeedMap::read(session); }));
  auto map = std::make_shared<const FeedMap>(std::move(read));
  std::lock_guard lock(mutex_);
  if (!map_ || version_ < version) {
    map_ = map;
    version_ = version;
  }
  return std::shared_ptr<const FeedMap>(std::move(map));
}

Result<std::shared_ptr<const FeedMap>> Feeds::get(store::Session& session) {
  if (auto there = at_hand(records_.store().kept_version())) return there;
  FIXPOINT_TRY(read, FeedMap::read(session));
  return std::shared_ptr<const FeedMap>(std::make_shared<const FeedMap>(std::move(read)));
}

}  // namespace fixpoint::services::hub
