#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/service_table.h"
#include "base/clock.h"
#include "bus/bus.h"
#include "controls/control.h"
#include "findings/finding_store.h"
#include "services/securityhub/automation_rules.h"
#include "services/securityhub/custom_actions.h"
#include "services/securityhub/feeds.h"
#include "services/securityhub/hub.h"
#include "services/securityhub/hub_v2.h"
#include "services/securityhub/insights.h"
#include "services/securityhub/standards.h"
#include "store/store.h"

namespace fixpoint::services {

/// fixpoint's own Security Hub over the finding store and the bus. Thread-safe.
class SecurityHub {
 public:
  SecurityHub(store::Store& store, findings::FindingStore& findings, bus::Bus& bus,
              const controls::ControlSet& controls, const Clock& clock)
      : store_(store),
        findings_(findings),
        bus_(bus),
        clock_(clock),
        records_(store, clock),
        feeds_(records_),
        automation_(records_, findings),
        insights_(records_, findings),
        actions_(records_, findings, insights_, bus),
        hub_(records_),
        hub_v2_(records_, findings,
                [this](store::Transaction& tx, const aws::Caller& caller, const findings::FindingKey& key,
                       const findings::OcsfUpdate& update) { return update_v2(tx, caller, key, update); }),
        standards_(records_, controls) {}
  static store::Schema schema();
  /// To be called once before use.
  Result<void> load() { return hub_.load(); }

  /// The operations of the model's `securityhub` that are there.
  aws::ServiceTable table();

  /// What became of findings that were taken in together.
  struct Taken {
    std::size_t created = 0;                     ///< were new
    std::size_t ignored = 0;                     ///< were there already, by an UpdatedAt as late or later
    std::size_t unheard = 0;                     ///< of the others: those that no rule with a target matches
    std::vector<findings::FindingKey> repeated;  ///< came more than once, each key once: they are one finding
  };
  /// Takes in findings that may be of any account: a file's, another tool's. Either all of them or none: the first that
  /// is not valid is the error, named by its place and Id. `originals` has, at a finding's place, the OCSF document
  /// that it came as (findings::original_of), or is empty. `origin` is whose doing it is.
  Result<Taken> import_all(std::vector<json::Value> findings, const std::string& region,
                           std::vector<json::Value> originals = {}, const bus::Origin& origin = {});

  /// Who hears of an update: the bus, by its event, or nobody, where what is written is no news to anybody who listens.
  enum class Tell { Bus, Nobody };
  /// BatchUpdateFindings on one finding within a transaction, with its event. `origin` is whose doing it is. Error:
  /// ResourceNotFoundException.
  Result<void> update(store::Transaction& tx, const findings::FindingKey& key, const json::Value& update,
                      const std::string& by, const bus::Origin& origin = {}, Tell tell = Tell::Bus);

  Result<void> update(store::Transaction& tx, const findings::FindingKey& key, const findings::MakeUpdate& make,
                      const std::string& by, const bus::Origin& origin = {}, Tell tell = Tell::Bus);

  /// The same in two parts: what comes back is the second, for the transaction, and does what was not worth working out
  /// ahead, or cannot stand as it was worked out, by `make` on the finding as it is then. To be run once.
  std::function<Result<void>(store::Transaction&)> prepare_update(const findings::FindingKey& key,
                                                                  findings::MakeUpdate make, const std::string& by,
                                                                  const bus::Origin& origin = {},
                                                                  Tell tell = Tell::Bus);

  /// The event that tells of a finding that was imported or updated, with a new id: on the bus of its own account and
  /// Region, or on that of `place`, in whose feed it is too (hub::FeedMap). The envelope names the bus's.
  static json::Value imported_event(const bus::Bus& bus, const json::Value& finding);
  static json::Value imported_event(const bus::Bus& bus, const json::Value& finding, const hub::FeedMap::Place& place);
  /// The same of Security Hub V2, `Findings Imported V2`, for the finding in OCSF.
  static json::Value imported_event_v2(const bus::Bus& bus, const json::Value& ocsf, const hub::FeedMap::Place& place);
  /// In which feeds findings are beside their own account's.
  Result<std::shared_ptr<const hub::FeedMap>> feeds() { return feeds_.get(); }
  /// Whether Security Hub V2 is on for that account and region, which is when the second event is sent too.
  Result<bool> sends_v2(const std::string& account, const std::string& region);

  /// For who chooses a custom action as a person does in the console.
  hub::CustomActions& actions() { return actions_; }

 private:
  Result<json::Value> batch_import(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> get_findings(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> batch_update(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> update_findings(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> finding_history(const aws::Caller& caller, const json::Value& input);
  // The event of a finding on a bus where somebody listens, with what it begins.
  struct Looked {
    hub::FeedMap::Place place;
    bus::Bus::Matched event;
  };
  // A finding made ready for its import, with the events that tell of it where it is new.
  struct Ready {
    findings::Prepared finding;
    std::optional<std::vector<Looked>> events;
  };
  Ready ready(json::Value finding, json::Value original = {});
  Result<Taken> import_some(store::Transaction& tx, std::vector<Ready>& findings, const bus::Origin& origin);
  // Where somebody listens who has the finding in his feed: its own account and Region, and others.
  std::vector<hub::FeedMap::Place> listening(const json::Value& finding, const hub::FeedMap& feeds) const;
  Result<std::vector<Looked>> look(const json::Value& finding, const hub::FeedMap& feeds) const;
  // The events of a finding ahead of its transaction; nothing where nobody listens, or it is to be looked at there.
  std::optional<std::vector<Looked>> match_imported(const json::Value& finding);
  // Each says whether a rule's target hears of it.
  Result<bool> publish_imported(store::Transaction& tx, const json::Value& finding, std::vector<Looked> events,
                                const bus::Origin& origin);
  Result<bool> publish_imported(store::Transaction& tx, const json::Value& finding, const bus::Origin& origin);
  Result<void> update_v2(store::Transaction& tx, const aws::Caller& caller, const findings::FindingKey& key,
                         const findings::OcsfUpdate& update);

  store::Store& store_;
  findings::FindingStore& findings_;
  bus::Bus& bus_;
  const Clock& clock_;
  hub::Records records_;
  hub::Feeds feeds_;
  hub::AutomationRules automation_;
  hub::Insights insights_;
  hub::CustomActions actions_;
  hub::Hub hub_;
  hub::HubV2 hub_v2_;
  hub::Standards standards_;
};

}  // namespace fixpoint::services
