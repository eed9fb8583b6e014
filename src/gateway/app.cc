#include "gateway/app.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <filesystem>
#include <future>
#include <iostream>
#include <sys/resource.h>

#include "audit/log.h"
#include "aws/client.h"
#include "aws/rate.h"
#include "base/arn.h"
#include "bus/connections.h"
#include "bus/destination_sender.h"
#include "bus/destinations.h"
#include "changes/second_person.h"
#include "controls/enumerate.h"
#include "controls/remediation.h"
#include "controls/undo.h"
#include "findings/fingerprint.h"
#include "functions/program.h"
#include "gateway/control_target.h"
#include "gateway/embedded_account.h"
#include "gateway/gateway.h"
#include "gateway/log_target.h"
#include "gateway/real_accounts.h"
#include "http/address_guard.h"
#include "http/curl_client.h"
#include "json/text.h"
#include "json/yaml.h"
#include "sandbox/sandbox.h"
#include "services/events/events.h"
#include "services/lambda/lambda.h"
#include "services/sns/sns.h"
#include "services/sqs/sqs.h"
#include "services/sts/sts.h"
#include "store/private_file.h"

namespace fixpoint::gateway {
namespace {

constexpr const char* loopback = "127.0.0.1";
// What a stop gives to calls of the account, from its beginning, before it cuts them off; and at least.
constexpr std::chrono::seconds grace(10);
constexpr std::chrono::milliseconds least_grace(500);

// So many as one in `part` of the descriptors that this process may have.
std::size_t by_descriptors(std::size_t part, std::size_t least, std::size_t most) {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return most;
  return std::clamp<std::size_t>(limit.rlim_cur / part, least, most);
}

// Half of them: who is connected, and has not said who he is, takes none of those that the store, the handlers and
// their relays need.
std::size_t connections_by_descriptors(std::size_t most) {
  return by_descriptors(2, 1, most);
}

// The processes that the runtime has at once, and some that have just ended.
std::size_t handlers_at_once(const functions::RuntimeOptions& options) {
  return options.processes + 2;
}

// A handler's connections to the gateway take at most a quarter of the descriptors for all handlers together, each two
// of its relay's and one of the listener's. A handler has no more descriptors itself.
functions::RuntimeOptions runtime_options() {
  constexpr std::size_t descriptors_of_one = 3;
  functions::RuntimeOptions out;
  out.gateway_connections = by_descriptors(4 * descriptors_of_one * handlers_at_once(out), 8, 1'024);
  return out;
}

// "Approval Requested" is recorded as "approval.requested".
std::string audit_kind_of(const executions::Notice& notice) {
  std::string kind = notice.kind;
  for (char& c : kind) c = c == ' ' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return kind;
}

services::SecurityHub::Tell who_hears(controls::UpdateFinding::Tell tell) {
  return tell == controls::UpdateFinding::Tell::Bus ? services::SecurityHub::Tell::Bus
                                                    : services::SecurityHub::Tell::Nobody;
}

Result<void> audit_execution(store::Transaction& tx, audit::Log& log, const executions::Execution& execution) {
  json::Object about{{"Execution", execution.id},    {"Kind", execution.kind},     {"Program", execution.program},
                     {"Account", execution.account}, {"Region", execution.region}, {"Subject", execution.subject}};
  if (execution.ended_ms == 0) {
    for (const auto* member : {"By", "Rule"})
      if (const std::string_view who = execution.input[member].string_or(""); !who.empty()) about.set(member, who);
    return log.append(tx, "execution.started", about);
  }
  about.set("Status", execution.status);
  about.set("Outcome", execution.outcome);
  return log.append(tx, "execution.ended", about);
}

// The parts in the order in which they need each other; they end in the reverse order.
class WholeApp final : public App {
 public:
  explicit WholeApp(Options options) : options_(std::move(options)), workers_(options_.workers) {}
  ~WholeApp() override { stop(); }

  Result<void> build() {
    catalog_ = catalog::Catalog::embedded();
    if (!options_.catalog_folder.empty()) FIXPOINT_CHECK(catalog_.overlay(options_.catalog_folder));
    // A third of the time of a start goes into reading these, another into the disk.
    auto recipes_read = std::async(std::launch::async, [this] { return changes::Recipes::load(catalog_); });
    FIXPOINT_TRY(store, store::Store::open(
                            {.folder = options_.data_folder,
                             .database = options_.database,
                             .readers = options_.io_threads + options_.workers + std::min(options_.executors, 8U)},
                            {findings::FindingStore::schema(), bus::Bus::schema(), identity::Identity::schema(),
                             executions::Executor::schema(), changes::Door::schema(), controls::Modes::schema(),
                             functions::FunctionStore::schema(), audit::Log::schema(), services::SecurityHub::schema(),
                             services::Sqs::schema(), services::Sns::schema(), sandbox::Sandbox::schema()}));
    store_ = std::move(store);
    FIXPOINT_TRY(models, aws::Models::open({.pack = {}, .overlay = options_.models_folder}));
    models_ = std::move(models);
    FIXPOINT_TRY(controls, controls::ControlSet::load(catalog_));
    controls_ = std::move(controls);
    FIXPOINT_CHECK(build_account());
    FIXPOINT_CHECK(build_identity());
    FIXPOINT_TRY(recipes, recipes_read.get());
    recipes_ = std::move(recipes);

    audit_ = std::make_unique<audit::Log>(*store_, clock_);
    FIXPOINT_CHECK(record_keys());
    watch_keys();
    findings_ = std::make_unique<findings::FindingStore>(*store_, clock_, identity_->key_for("pages of findings"));
    FIXPOINT_CHECK(findings_->load());
    bus_ = std::make_unique<bus::Bus>(*store_, clock_);
    securityhub_ = std::make_unique<services::SecurityHub>(*store_, *findings_, *bus_, controls_, clock_);
    FIXPOINT_CHECK(securityhub_->load());
    if (options_.around_account) {
      around_account_ = options_.around_account(*account_);
      account_ = around_account_.get();
    }
    door_ = std::make_unique<changes::Door>(*store_, clock_, *account_, recipes_, models_.get());
    modes_ = std::make_unique<controls::Modes>(*store_);
    executor_ = std::make_unique<executions::Executor>(*store_, clock_, options_.executors);
    functions_ = std::make_unique<functions::FunctionStore>(*store_, clock_);
    functions_->on_removed([this](store::Transaction& tx, const std::string& arn) {
      return forget_auto(tx, "control:" + arn, "the function was deleted");
    });
    bus_->on_rule_deleted([this](store::Transaction& tx, const std::string& arn) {
      return forget_auto(tx, "rule:" + arn, "the rule was deleted");
    });
    FIXPOINT_TRY(runtime, functions::Runtime::start(runtime_options_));
    runtime_ = std::move(runtime);

    approvals_ = std::make_unique<executions::Approvals>(
        *store_, *executor_, clock_,
        [this](store::Transaction& tx, const executions::Notice& notice) { return tell(tx, notice); },
        [](store::Transaction& tx, const executions::Approval& approval) {
          return changes::four_eyes_for(tx, approval.execution, approval.plan_hash);
        });
    // Before the works' watch, which may start an execution as another ends.
    executor_->add_watch([this](store::Transaction& tx, const executions::Execution& execution) {
      return audit_execution(tx, *audit_, execution);
    });
    works_ = std::make_unique<executions::Works>(
        *store_, *executor_, clock_,
        [this](store::Transaction& tx, const executions::Notice& notice) { return tell(tx, notice); },
        executions::Works::Options{});
    remediation_ = std::make_unique<controls::Remediation>(
        controls_, *door_, *modes_, *approvals_, *works_, clock_,
        controls::UpdateFinding{
            [this](const findings::FindingKey& key, const std::string& execution, findings::MakeUpdate make,
                   controls::UpdateFinding::Tell tell) {
              return securityhub_->prepare_update(key, std::move(make), "fixpoint", bus::Origin{execution, {}},
                                                  who_hears(tell));
            },
            [this](store::Transaction& tx, const findings::FindingKey& key, const std::string& execution,
                   const findings::MakeUpdate& make, controls::UpdateFinding::Tell tell) {
              return securityhub_->update(tx, key, make, "fixpoint", bus::Origin{execution, {}}, who_hears(tell));
            }},
        controls::Remediation::Options{});
    function_program_ = std::make_unique<functions::FunctionProgram>(
        functions::FunctionProgram::Parts{
            *functions_, *runtime_, *identity_, *door_, *approvals_, clock_,
            [this] { return std::string("http://") + loopback + ":" + std::to_string(handlers_port_.load()); },
            [this](const std::string& rule, const std::string& function,
                   const std::string& account) -> Result<std::string> {
              FIXPOINT_TRY(mode, modes_->find_set(rule, function, account));
              return std::string(controls::to_text(mode.value_or(controls::Mode::Auto)));
            },
            [this](store::Transaction& tx, const json::Value& finding, const std::string& execution,
                   const functions::FindingNote& note) { return note_finding(tx, finding, execution, note); },
            runs_, [this](const changes::Mandate& mandate) { return population_of(mandate); }},
        functions::FunctionProgram::Options{});
    executor_->add_program("control", *remediation_);
    executor_->add_program("function", *function_program_);
    undo_ = std::make_unique<controls::Undo>(
        *door_, *approvals_, clock_,
        [this](store::Transaction& tx, const json::Value& finding, const std::string& execution,
               const std::string& status,
               const std::string& note) { return note_finding(tx, finding, execution, {status, note}); },
        controls::Undo::Options{});
    executor_->add_program("undo", *undo_);
    lambda_ = std::make_unique<services::Lambda>(*functions_, *executor_);
    if (embedded_account_) embedded_account_->add(lambda_->table());
    if (embedded_account_) FIXPOINT_CHECK(build_queues());
    control_target_ =
        std::make_unique<ControlTarget>(controls_, *modes_, *findings_, *executor_, *works_, *approvals_, clock_);
    bus_->add_target_kind(
        "lambda",
        [this](store::Transaction& tx, const bus::Delivery& delivery) { return lambda_->begin(tx, delivery); },
        services::Lambda::check_arn);
    bus_->add_target_kind(
        "fixpoint",
        [this](store::Transaction& tx, const bus::Delivery& delivery) { return control_target_->begin(tx, delivery); },
        [this](const std::string& arn) { return control_target_->check_arn(arn); });
    build_destinations();
    log_target_ = std::make_unique<LogTarget>(
        *account_, clock_, [this](std::function<void()> task) { return log_workers_.run(std::move(task)); },
        [this] {
          if (http_) http_->stop_in(static_cast<int>(least_grace.count()));
        });
    bus_->add_target_kind("logs", log_target_->kind());
    FIXPOINT_CHECK(bus_->load());
    return {};
  }

  Result<void> listen() {
    events_ = std::make_unique<services::Events>(
        *store_, *bus_,
        services::Events::Outward{*connections_, *destinations_, *destination_sender_,
                                  [this](const std::string& url) { return forbids_destination(url); }});
    sts_ = std::make_unique<services::Sts>(*identity_);
    dispatch_ = std::make_unique<Dispatch>(*account_, *door_, runs_, workers_, embedded_.get());
    dispatch_->add(securityhub_->table());
    dispatch_->add(events_->table());
    dispatch_->add(lambda_->table(), embedded_account_ ? Dispatch::Part::OfAccount : Dispatch::Part::Own);
    dispatch_->add(sts_->table());
    if (sqs_) dispatch_->add(sqs_->table(), Dispatch::Part::OfAccount);
    if (sns_) dispatch_->add(sns_->table(), Dispatch::Part::OfAccount);
    api_ = std::make_unique<Api>(Api::Parts{clock_, *bus_, *securityhub_, *findings_, *executor_, *approvals_, *works_,
                                            *door_, *modes_, *audit_, controls_, *functions_, *dispatch_, *models_,
                                            embedded_.get(), [this] { return runtime_->isolation(); }});
    verifier_ = std::make_unique<aws::Verifier>(*identity_, clock_);
    gateway_ =
        std::make_unique<Gateway>(*models_, *verifier_, *dispatch_, *api_, workers_,
                                  aws::Router::Options{.hosts = {host(), loopback, "localhost", "fixpoint.local"}});
    if (sns_) gateway_->set_open([this](const HttpRequest& request) { return sns_->answer_open(request); });
    http::ServerOptions server;
    server.address = options_.address;
    server.port = options_.port;
    server.threads = options_.io_threads;
    server.connection_limit = connections_by_descriptors(server.connection_limit);
    server.shape_refusal = [this](const HttpRequest& head, HttpResponse plain) {
      return gateway_->refusal(head, std::move(plain));
    };
    FIXPOINT_TRY(listening, http::Server::start(server, [this](HttpRequest request, http::Responder responder) {
                   gateway_->handle(std::move(request), std::move(responder));
                 }));
    server_ = std::move(listening);
    port_ = server_->port();
    FIXPOINT_CHECK(listen_for_handlers());
    if (sns_) sns_->start();
    FIXPOINT_CHECK(write_address());
    bus_->start();
    FIXPOINT_CHECK(destination_sender_->authorize_all());
    // The executor begins last: a handler that it starts finds the gateway listening.
    return executor_->start();
  }

  std::uint16_t port() const override { return port_; }
  std::string endpoint() const override { return "http://" + host() + ":" + std::to_string(port_.load()); }
  const std::string& account() const override { return options_.account; }
  std::string isolation() const override { return runtime_->isolation(); }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    const auto end = std::chrono::steady_clock::now() + grace;
    if (sns_) sns_->stop();
    if (sqs_) sqs_->stop();  // receives that wait are answered while there is somebody to answer
    if (server_) server_->stop();
    // Before their listener: a run that ends with the runtime is begun again at the next start, and one that loses its
    // connection would have failed.
    if (executor_) executor_->wind_down();
    if (runtime_) runtime_->stop();
    if (handlers_server_) handlers_server_->stop();
    if (client_) client_->stop();
    if (member_client_) member_client_->stop();
    if (embedded_account_) embedded_account_->stop();
    const auto end_calls = [this] {
      if (http_) http_->stop();
    };
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (executor_) executor_->stop(std::max(left, least_grace), end_calls);
    if (bus_) bus_->stop();
    if (outward_) outward_->stop();
    end_calls();
    if (dispatch_) dispatch_->stop();
    workers_.stop();
    log_workers_.stop();
  }

 private:
  Result<void> build_account() {
    if (!options_.real_account) {
      FIXPOINT_TRY(sandbox, sandbox::Sandbox::open(*store_, catalog_, clock_));
      embedded_ = std::move(sandbox);
      embedded_account_ = std::make_unique<EmbeddedAccount>(*embedded_);
      account_ = embedded_account_.get();
      return {};
    }
    aws::CallLimits limits;
    for (const std::string& path : catalog_.list("limits")) {
      if (!path.ends_with(".yaml")) continue;
      const std::string service = std::filesystem::path(path).stem().string();
      FIXPOINT_TRY(form, json::parse_yaml(*catalog_.find(path)));
      FIXPOINT_CHECK(limits.add(service, form));
    }
    rate_ = std::make_unique<aws::Rate>(clock_, std::move(limits));
    FIXPOINT_TRY(compression, aws::compression_settings(aws::process_environment()));
    http_ = std::make_unique<http::CurlClient>();
    credentials_ = std::make_unique<aws::EnvironmentCredentials>();
    aws::Client::Options client;
    client.endpoint_url = options_.account_endpoint;
    client.compression = compression;
    client.rate = rate_.get();
    // Executions wait without a thread; what a call may wait by itself is kept short.
    client.longest_wait_ms = 2'000;
    const auto model = [this](std::string_view name) { return models_->get(name); };
    client_ = std::make_unique<aws::Client>(model, *http_, *credentials_, clock_, client);
    if (!options_.member_role.empty()) {
      member_credentials_ = std::make_unique<aws::AssumeRoleCredentials>(
          *client_, clock_,
          aws::AssumeRoleOptions{.role_arn = "arn:{partition}:iam::{account}:role/" + options_.member_role,
                                 .external_id = options_.external_id});
      member_client_ = std::make_unique<aws::Client>(model, *http_, *member_credentials_, clock_, client);
    }
    real_accounts_ = std::make_unique<RealAccounts>(*client_, member_client_.get());
    account_ = real_accounts_.get();
    return {};
  }

  // Whose keys and findings these are: a server that takes one account for another would mend the wrong one.
  Result<void> build_identity() {
    if (real_accounts_) {
      auto own = real_accounts_->own_account(options_.region);
      if (!own) {
        own.error().message =
            "which account the credentials of the AWS_* variables are of is not known: " + own.error().code + ": " +
            own.error().message;
        return fail(std::move(own.error()));
      }
      if (!options_.account.empty() && options_.account != *own)
        return fail(errors::validation("--account is " + options_.account +
                                           ", and the credentials of the AWS_* variables are of the account " + *own,
                                       "account"));
      options_.account = *own;
    }
    const std::string account = options_.account.empty() ? "111111111111" : options_.account;
    FIXPOINT_TRY(identity, identity::Identity::open(options_.data_folder, account, *store_, clock_));
    identity_ = std::move(identity);
    const std::string owner = identity_->find(identity_->first_key().access_key)->principal->account;
    if (!options_.account.empty() && owner != options_.account)
      return fail(errors::validation("the first key of the data folder is of the account " + owner + ", not " +
                                         options_.account + "; another account wants a data folder of its own",
                                     "account"));
    options_.account = owner;
    return {};
  }

  // Who is let in, and since when, stands in the audit log. A key that comes or goes while no server runs is recorded
  // by the next.
  Result<void> record_keys() {
    return identity_->record_keys([this](store::Transaction& tx, std::string_view kind, const json::Value& about) {
      return audit_->append(tx, kind, about);
    });
  }

  void watch_keys() {
    identity_->on_change([this](const Result<void>& read) {
      if (!read) {
        std::cerr << "fixpoint: the keys from before go on to count: " << read.error().message << "\n";
        return;
      }
      const auto lost = [](const std::string& why) {
        std::cerr << "fixpoint: that keys changed is recorded at the next start: " << why << "\n";
      };
      const bool taken = workers_.run([this, lost] {
        if (const auto recorded = record_keys(); !recorded) lost(recorded.error().message);
      });
      if (!taken) lost("too much waits to be done");
    });
  }

  // Handlers have a listener of their own, the only one that their network leads to: so a request says by where it
  // comes that it is an execution's.
  Result<void> listen_for_handlers() {
    http::ServerOptions server;
    server.address = loopback;
    server.threads = options_.io_threads;
    server.connection_limit = handlers_at_once(runtime_options_) * runtime_options_.gateway_connections;
    server.shape_refusal = [this](const HttpRequest& head, HttpResponse plain) {
      return gateway_->refusal(head, std::move(plain));
    };
    server.stop_timeout_ms = 1'000;  // it stops when no handler is left to hear an answer
    FIXPOINT_TRY(listening, http::Server::start(server, [this](HttpRequest request, http::Responder responder) {
                   gateway_->handle(std::move(request), std::move(responder), Gateway::Way::Handlers);
                 }));
    handlers_server_ = std::move(listening);
    handlers_port_ = handlers_server_->port();
    return {};
  }

  // What is made later under a name is not trusted for what had the name before.
  Result<void> forget_auto(store::Transaction& tx, const std::string& scope, const std::string& because) {
    FIXPOINT_TRY(gone, controls::Modes::forget_auto(tx, scope));
    if (!gone) return {};
    return audit_->append(tx, "mode.unset", json::Object{{"Scope", scope}, {"Because", because}});
  }

  // A note and a status on a finding, where it is here. Without a status the finding is as new as it was, and its event
  // would begin again what listens for new ones.
  Result<void> note_finding(store::Transaction& tx, const json::Value& finding, const std::string& execution,
                            const functions::FindingNote& note) {
    const findings::FindingKey key = findings::key_of(finding);
    FIXPOINT_TRY(stored, findings_->get(tx, key));
    if (!stored) return {};
    // A person's word on the finding stands.
    if ((*stored)["Workflow"]["Status"].string_or("") == "SUPPRESSED") return {};
    json::Value fields = (*stored)["UserDefinedFields"];
    if (!note.over.empty() && (fields["fixpoint:execution"].string_or("") != execution ||
                               !(*stored)["Note"]["Text"].string_or("").starts_with(note.over)))
      return {};
    fields.set("fixpoint:execution", execution);
    json::Object update{{"UserDefinedFields", fields}};
    // What somebody else noted stands where the finding stays as it is.
    const std::string_view noted = (*stored)["Note"]["UpdatedBy"].string_or("");
    if (!note.status.empty() || note.insists || noted.empty() || noted == "fixpoint")
      update.set("Note", json::Object{{"Text", note.text}, {"UpdatedBy", "fixpoint"}});
    if (!note.status.empty()) update.set("Workflow", json::Object{{"Status", note.status}});
    return securityhub_->update(
        tx, key, std::move(update), "fixpoint", bus::Origin{execution, {}},
        note.status.empty() ? services::SecurityHub::Tell::Nobody : services::SecurityHub::Tell::Bus);
  }

  // Of what a percentage is taken for a function: what the control that its finding names lists, else any that is for
  // resources of the finding's type.
  Result<std::optional<std::int64_t>> population_of(const changes::Mandate& mandate) {
    const json::Value& finding = mandate.findings[0];
    if (finding.is_null()) return std::optional<std::int64_t>();
    std::shared_ptr<const controls::Control> lists = controls_.find(findings::control_of(finding));
    const std::string_view type = finding["Resources"][0]["Type"].string_or("");
    if (!lists || !lists->list)
      for (const auto& control : controls_.all())
        if (control->list && control->resource_type == type) lists = control;
    if (!lists || !lists->list) return std::optional<std::int64_t>();
    FIXPOINT_TRY(all, controls::enumerate(*lists, {mandate.account, mandate.region, mandate.execution, {}}, *door_));
    return std::optional(static_cast<std::int64_t>(all.size()));
  }

  // A notice is an event on the account's bus, and a record of the audit log.
  Result<void> tell(store::Transaction& tx, const executions::Notice& notice) {
    FIXPOINT_CHECK(audit_->append(tx, audit_kind_of(notice), notice.detail));
    const bus::BusName name{notice.account, notice.region, std::string(partition_of_region(notice.region)), "default"};
    return bus_->publish(
        tx, bus_->make_event(name, "fixpoint", "fixpoint " + notice.kind, notice.resources, notice.detail));
  }

  // Where events are sent over HTTP, over the embedded account and a real one alike.
  void build_destinations() {
    http::CurlClientOptions outward;
    outward.public_addresses_only = !options_.private_endpoints;
    // As much as the Range header asks for, and the whole of an answer to who does not know it.
    outward.response_limit_bytes = 2UL * 1024 * 1024;
    outward_ = std::make_unique<http::CurlClient>(outward);
    connections_ = std::make_unique<bus::Connections>(*store_, clock_, identity_->key_for("connections"));
    destinations_ = std::make_unique<bus::Destinations>(*store_, clock_, *connections_);
    destination_sender_ = std::make_unique<bus::DestinationSender>(
        *store_, clock_, *connections_, *destinations_,
        [this](std::string url, HttpRequest request, int timeout_ms, auto done) {
          outward_->send_async(std::move(url), std::move(request), timeout_ms, std::move(done));
        },
        [this] { outward_->stop(); });
    bus_->add_target_kind("events:api-destination", destination_sender_->kind());
  }

  std::optional<std::string> forbids_destination(const std::string& url) const {
    if (options_.private_endpoints) return std::nullopt;
    if (!url.starts_with("https://"))
      return "it has to begin with https://; 'fixpoint serve --private-endpoints' lets events go to http:// as well";
    auto why = http::why_not_public(url);
    if (why) *why += "; 'fixpoint serve --private-endpoints' lets events go there";
    return why;
  }

  // Queues are fixpoint's own where the account is; over a real account they are AWS's.
  Result<void> build_queues() {
    sqs_ = std::make_unique<services::Sqs>(*store_, clock_);
    FIXPOINT_CHECK(sqs_->start());
    embedded_account_->add(sqs_->table());
    bus_->add_target_kind(
        "sqs", [this](store::Transaction& tx, const bus::Delivery& delivery) { return sqs_->begin(tx, delivery); },
        [this](const std::string& arn) { return sqs_->check_arn(arn); });
    return build_topics();
  }

  Result<void> build_topics() {
    FIXPOINT_TRY(signer, services::sns::Signer::open(options_.data_folder));
    signer_ = std::move(signer);
    http::CurlClientOptions outward;
    outward.public_addresses_only = !options_.private_endpoints;
    outward.response_limit_bytes = 64UL * 1024;  // nobody reads what an endpoint says to a notification
    notifier_ = std::make_unique<http::CurlClient>(outward);
    services::Sns::Outlets outlets;
    outlets.queue = [this](store::Transaction& tx, const std::string& arn, const json::Value& message) {
      return sqs_->send(tx, arn, message, "sns.amazonaws.com");
    };
    outlets.function = [this](store::Transaction& tx, const std::string& name, const std::string& arn,
                              const json::Value& event, const bus::Delivery& published) {
      bus::Delivery delivery = published;
      if (delivery.rule_arn.empty()) delivery.rule_arn = name;
      delivery.text = json::print(event);
      delivery.target = {name, arn, json::Object()};
      return lambda_->begin_by_topic(tx, delivery);
    };
    outlets.http = [this](std::string url, HttpRequest request, int timeout_ms, auto taken) {
      notifier_->send_async(std::move(url), std::move(request), timeout_ms, std::move(taken));
    };
    outlets.stop_http = [this] { notifier_->stop(); };
    outlets.forbids = [this](const std::string& url) -> std::optional<std::string> {
      auto why = options_.private_endpoints ? std::nullopt : http::why_not_public(url);
      if (why) *why += "; 'fixpoint serve --private-endpoints' lets notifications go there";
      return why;
    };
    outlets.lost = [this](store::Transaction& tx, const json::Value& about) {
      return audit_->append(tx, "notification.undelivered", about);
    };
    sns_ =
        std::make_unique<services::Sns>(*store_, clock_, *signer_, [this] { return endpoint(); }, std::move(outlets));
    embedded_account_->add(sns_->table());
    bus_->add_target_kind(
        "sns", [this](store::Transaction& tx, const bus::Delivery& delivery) { return sns_->begin(tx, delivery); },
        [this](const std::string& arn) { return sns_->check_arn(arn); });
    return {};
  }

  // The address as it stands in a URL.
  std::string host() const {
    return options_.address.find(':') == std::string::npos ? options_.address : "[" + options_.address + "]";
  }

  // For `fixpoint env`, which knows the data folder alone.
  Result<void> write_address() {
    if (options_.data_folder.empty()) return {};
    const std::string path = options_.data_folder + "/server.json";
    return store::write_private_file(
        path, json::print_pretty(json::Object{{"Endpoint", endpoint()}, {"Region", options_.region}}) + "\n");
  }

  Options options_;
  const functions::RuntimeOptions runtime_options_ = runtime_options();
  SystemClock clock_;
  WorkerPool workers_;
  WorkerPool log_workers_{2};  // an account that is slow to log to holds up nothing else
  std::atomic<std::uint16_t> port_ = 0;
  std::atomic<std::uint16_t> handlers_port_ = 0;
  bool stopped_ = false;
  catalog::Catalog catalog_;
  changes::Recipes recipes_;
  changes::Runs runs_;
  controls::ControlSet controls_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<aws::Models> models_;
  std::unique_ptr<identity::Identity> identity_;
  std::unique_ptr<sandbox::Sandbox> embedded_;
  std::unique_ptr<EmbeddedAccount> embedded_account_;
  std::unique_ptr<http::CurlClient> http_;
  std::unique_ptr<aws::CredentialsProvider> credentials_;
  std::unique_ptr<aws::Rate> rate_;
  std::unique_ptr<aws::Client> client_;
  std::unique_ptr<aws::CredentialsProvider> member_credentials_;
  std::unique_ptr<aws::Client> member_client_;
  std::unique_ptr<RealAccounts> real_accounts_;
  std::unique_ptr<aws::Api> around_account_;
  aws::Api* account_ = nullptr;
  std::unique_ptr<audit::Log> audit_;
  std::unique_ptr<findings::FindingStore> findings_;
  std::unique_ptr<bus::Bus> bus_;
  std::unique_ptr<services::SecurityHub> securityhub_;
  std::unique_ptr<changes::Door> door_;
  std::unique_ptr<controls::Modes> modes_;
  std::unique_ptr<executions::Executor> executor_;
  std::unique_ptr<executions::Approvals> approvals_;
  std::unique_ptr<executions::Works> works_;
  std::unique_ptr<functions::FunctionStore> functions_;
  std::unique_ptr<functions::Runtime> runtime_;
  std::unique_ptr<controls::Remediation> remediation_;
  std::unique_ptr<functions::FunctionProgram> function_program_;
  std::unique_ptr<controls::Undo> undo_;
  std::unique_ptr<services::Lambda> lambda_;
  std::unique_ptr<services::Sqs> sqs_;
  std::unique_ptr<services::sns::Signer> signer_;
  std::unique_ptr<http::CurlClient> notifier_;
  std::unique_ptr<services::Sns> sns_;
  std::unique_ptr<http::CurlClient> outward_;
  std::unique_ptr<bus::Connections> connections_;
  std::unique_ptr<bus::Destinations> destinations_;
  std::unique_ptr<bus::DestinationSender> destination_sender_;
  std::unique_ptr<LogTarget> log_target_;
  std::unique_ptr<ControlTarget> control_target_;
  std::unique_ptr<services::Events> events_;
  std::unique_ptr<services::Sts> sts_;
  std::unique_ptr<Dispatch> dispatch_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<aws::Verifier> verifier_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> handlers_server_;
};

}  // namespace

Result<std::unique_ptr<App>> App::start(const Options& options) {
  if (!options.account.empty() &&
      (options.account.size() != 12 || options.account.find_first_not_of("0123456789") != std::string::npos))
    return fail(errors::validation("'" + options.account + "' is no account id: it has 12 digits", "account"));
  auto app = std::make_unique<WholeApp>(options);
  FIXPOINT_CHECK(app->build());
  FIXPOINT_CHECK(app->listen());
  return std::unique_ptr<App>(std::move(app));
}

}  // namespace fixpoint::gateway
