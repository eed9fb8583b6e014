#include "aws/router.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "aws/query_form.h"
#include "aws/quirks.h"
#include "aws/rest_binding.h"
#include "aws/verify.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

bool speaks(const PackEntry& entry, std::string_view protocol) {
  return std::ranges::find(entry.protocols, protocol) != entry.protocols.end();
}

bool speaks_form(const PackEntry& entry) {
  return speaks(entry, "query") || speaks(entry, "ec2") || find_second_protocol(entry.name) != nullptr;
}

bool speaks_rest(const PackEntry& entry) {
  return speaks(entry, "rest-json") || speaks(entry, "rest-xml");
}

std::string json_version_of(const HttpRequest& request) {
  constexpr std::string_view type = "application/x-amz-json-";
  const std::string_view stated = trim(request.headers.get("content-type"));
  if (!stated.starts_with(type)) return {};
  const std::string_view version = stated.substr(type.size(), 3);
  return version == "1.0" || version == "1.1" ? std::string(version) : std::string();
}

std::vector<std::string_view> query_keys(std::string_view query) {
  std::vector<std::string_view> keys;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (!part.empty()) keys.push_back(part);
  }
  return keys;
}

std::string_view key_of(std::string_view pair) {
  return pair.substr(0, pair.find('='));
}

const PackEntry& deref(const PackEntry* entry) {
  return *entry;
}

// JavaScript's clients say the operation in a key of its own, all others leave it out.
constexpr std::string_view hint_key = "x-id";

bool has_fixed(const UriTemplate::FixedQuery& fixed, const std::vector<std::string_view>& pairs) {
  return std::ranges::any_of(pairs, [&](std::string_view pair) {
    if (key_of(pair) != fixed.key) return false;
    if (!fixed.has_value || fixed.value.empty()) return true;
    return pair.size() > fixed.key.size() && pair.substr(fixed.key.size() + 1) == fixed.value;
  });
}

RouteFailure failure(Protocol protocol, Error error, std::shared_ptr<const Service> service,
                     const HttpRequest& request) {
  RouteFailure failed;
  failed.routed.protocol = protocol;
  failed.routed.service = std::move(service);
  failed.routed.json_version = json_version_of(request);
  failed.routed.head = request.method == "HEAD";
  failed.error = std::move(error);
  return failed;
}

// For a service that there is no model of, in the form that its client most likely reads.
RouteFailure not_there(const HttpRequest& request, std::string_view signing_name, std::string_view action) {
  std::string called = request.method.substr(0, 20) + " " + std::string(request.path().substr(0, 200));
  Protocol protocol = Protocol::RestJson;
  if (const std::string* target = request.headers.find("x-amz-target")) {
    called = target->substr(0, 200);
    protocol = Protocol::Json;
  } else if (!action.empty()) {
    called = action.substr(0, 200);
    protocol = Protocol::Query;
  } else if (is_rest_xml(signing_name) || trim(std::string_view(request.body).substr(0, 200)).starts_with('<')) {
    protocol = Protocol::RestXml;
  }
  return failure(
      protocol,
      errors::not_implemented("the service '" + std::string(signing_name.substr(0, 100)) +
                              "' is not there in this version (" + called + "); docs/compatibility.md lists what is"),
      nullptr, request);
}

}  // namespace

std::string signing_name_of(const HttpRequest& request) {
  std::string credential;
  const std::string_view header = request.headers.get("authorization");
  if (const auto at = header.find("Credential="); at != std::string_view::npos) {
    credential = header.substr(at + 11);
    credential.resize(std::min(credential.find_first_of(", "), credential.size()));
  } else {
    credential = form_value(request.query(), "X-Amz-Credential");
  }
  if (credential.empty() && header.empty() && is_version_2_query(request.query()) &&
      form_value(request.query(), "Action").empty())
    return "s3";
  const auto parts = split(credential, '/');
  return parts.size() >= 5 ? std::string(parts[parts.size() - 2]) : std::string();
}

struct Router::Table {
  std::shared_ptr<const Service> service;
  std::unordered_map<std::string_view, std::vector<const Operation*>> by_method;
};

struct Router::Slot {
  std::mutex mutex;
  std::atomic<const Table*> ready = nullptr;
  std::unique_ptr<const Table> table;
};

struct Router::Match {
  const Operation* operation = nullptr;
  std::int64_t score = -1;
};

Router::Router(const Models& models, Options options) : models_(models), hosts_(std::move(options.hosts)) {
  for (std::string& host : hosts_) host = to_lower(host);
  slots_.resize(models_.services().size());
  for (auto& slot : slots_) slot = std::make_unique<Slot>();
}
Router::~Router() = default;

const Router::Table* Router::table(const PackEntry& entry, Error* why) const {
  Slot& slot = *slots_[static_cast<std::size_t>(&entry - models_.services().data())];
  if (const Table* ready = slot.ready.load(std::memory_order_acquire)) return ready;
  const std::lock_guard lock(slot.mutex);
  if (slot.table) return slot.table.get();
  auto service = models_.get(entry.name);
  if (!service) {
    if (why != nullptr) *why = errors::internal(describe(service.error()));
    return nullptr;
  }
  auto fresh = std::make_unique<Table>();
  fresh->service = std::move(*service);
  for (const Operation& operation : fresh->service->operations())
    fresh->by_method[operation.method].push_back(&operation);
  slot.table = std::move(fresh);
  slot.ready.store(slot.table.get(), std::memory_order_release);
  return slot.table.get();
}

// The path with S3's bucket in it, wherever it came.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
std::string Router::s3_path(const HttpRequest& request) const {
  std::string host = to_lower(request.headers.get("host"));
  host.resize(std::min(host.rfind(':') == std::string::npos || host.ends_with(']') ? host.size() : host.rfind(':'),
                       host.size()));
  std::string path(request.path());
  std::string bucket;
  const auto aws = host.find(".amazonaws.com");
  if (aws != std::string::npos) {
    const auto at = std::min(host.find(".s3."), host.find(".s3-"));
    if (at != std::string::npos && at < aws) bucket = host.substr(0, at);
  }
  for (const std::string& own : hosts_) {
    if (host.size() <= own.size() + 1 || !host.ends_with(own) || host[host.size() - own.size() - 1] != '.') continue;
    bucket = host.substr(0, host.size() - own.size() - 1);
    // `s3.` and `s3.us-east-1.` before a name of ours are no buckets; `bucket.s3.` holds one.
    if (bucket == "s3" || bucket.starts_with("s3.") || bucket.starts_with("s3-")) {
      bucket.clear();
    } else if (const auto s3 =
                   std::min(bucket.find(".s3."), bucket.ends_with(".s3") ? bucket.size() - 3 : std::string::npos);
               s3 != std::string::npos) {
      bucket.resize(s3);
    }
    break;
  }
  if (bucket.empty()) return path;
  return "/" + bucket + (path.starts_with('/') ? path : "/" + path);
}

tl::expected<Routed, RouteFailure> Router::route(const HttpRequest& request, std::string_view signing_name) const {
  std::vector<const PackEntry*> candidates;
  if (!signing_name.empty()) {
    const auto signed_for = models_.by_signing_name(signing_name);
    candidates.assign(signed_for.begin(), signed_for.end());
  }
  const bool known = !candidates.empty();
  // Signed for a service that has no model: what the request looks like says nothing of another's operations.
  const bool foreign = !known && !signing_name.empty() && path_rule_of(signing_name) != PathRule::AsSent;

  if (const std::string* target = request.headers.find("x-amz-target")) {
    const auto found = models_.by_target(*target);
    if (found && (!known || std::ranges::find(candidates, found->service) != candidates.end()))
      return route_target(request, *found->service, found->operation);
    if (foreign) return tl::unexpected(not_there(request, signing_name, {}));
    if (!known || !std::ranges::any_of(candidates, speaks_rest, deref)) {
      std::shared_ptr<const Service> service;
      if (known)
        if (const Table* loaded = table(*candidates.front(), nullptr)) service = loaded->service;
      return tl::unexpected(
          failure(Protocol::Json,
                  errors::coded("UnknownOperationException",
                                "No service of that name has the operation '" + target->substr(0, 200) + "'", 400),
                  service, request));
    }
  }

  // A form is asked for its action where a service that is meant takes forms, or where nothing says who is meant.
  if (!known || std::ranges::any_of(candidates, speaks_form, deref)) {
    const bool posted = request.method == "POST" && !request.body.empty();
    // Of a form in gzip its beginning is enough, where clients put action and version.
    const std::string beginning =
        posted && is_gzip_coded(request.headers) ? gunzip_beginning(request.body, 4096) : std::string();
    const std::string_view form = beginning.empty() ? std::string_view(request.body) : std::string_view(beginning);
    std::string action = posted ? form_value(form, "Action") : std::string();
    const bool in_target = action.empty();
    if (in_target) action = form_value(request.query(), "Action");
    if (!action.empty() || (known && !std::ranges::any_of(candidates, speaks_rest, deref))) {
      std::vector<const PackEntry*> forms = candidates;
      if (!known)
        for (const PackEntry& entry : models_.services())
          if (speaks_form(entry)) forms.push_back(&entry);
      auto routed = route_action(request, action, in_target ? request.query() : form, in_target, forms);
      if (!routed && foreign) return tl::unexpected(not_there(request, signing_name, action));
      return routed;
    }
  }
  if (foreign) return tl::unexpected(not_there(request, signing_name, {}));

  if (known && !std::ranges::any_of(candidates, speaks_rest, deref)) {
    std::shared_ptr<const Service> service;
    if (const Table* loaded = table(*candidates.front(), nullptr)) service = loaded->service;
    return tl::unexpected(failure(
        Protocol::Json,
        errors::coded("UnknownOperationException", "The request names no operation: X-Amz-Target is missing", 400),
        service, request));
  }
  if (!known)
    for (const PackEntry& entry : models_.services())
      if (speaks_rest(entry)) candidates.push_back(&entry);
  return route_path(request, candidates);
}

std::string_view Router::signing_name_for(const Service& service, std::string_view signing_name) const {
  const auto signed_for = models_.by_signing_name(signing_name);
  const bool so = std::ranges::any_of(signed_for, [&](const PackEntry* entry) { return entry->name == service.name; });
  const bool of_s3 =
      path_rule_of(service.signing_name) == PathRule::AsSent && path_rule_of(signing_name) == PathRule::AsSent;
  return so || of_s3 ? signing_name : std::string_view(service.signing_name);
}

tl::expected<Routed, RouteFailure> Router::route_target(const HttpRequest& request, const PackEntry& entry,
                                                        std::string_view operation) const {
  Error why;
  const Table* loaded = table(entry, &why);
  if (loaded == nullptr) return tl::unexpected(failure(Protocol::Json, why, nullptr, request));
  Routed routed;
  routed.service = loaded->service;
  routed.protocol = Protocol::Json;
  routed.json_version = json_version_of(request);
  if (routed.json_version.empty()) routed.json_version = loaded->service->json.version;
  routed.operation = loaded->service->find_operation(operation);
  if (routed.operation == nullptr)
    return tl::unexpected(
        failure(Protocol::Json,
                errors::coded("UnknownOperationException",
                              "The service has no operation '" + std::string(operation.substr(0, 200)) + "'", 400),
                loaded->service, request));
  return routed;
}

tl::expected<Routed, RouteFailure> Router::route_action(const HttpRequest& request, std::string_view action,
                                                        std::string_view form, bool in_target,
                                                        const std::vector<const PackEntry*>& candidates) const {
  const std::string version = form_value(form, "Version");
  const PackEntry* entry = nullptr;
  for (const PackEntry* candidate : candidates)
    if (candidate->version == version) {
      // Of several with one version, the one that has the action.
      const Table* loaded = table(*candidate, nullptr);
      if (entry == nullptr || (loaded != nullptr && loaded->service->find_operation(action) != nullptr))
        entry = candidate;
    }
  if (entry == nullptr && candidates.size() == 1) entry = candidates.front();
  const auto refuse = [&](Error error, std::shared_ptr<const Service> service) {
    const Protocol protocol =
        service != nullptr && service->protocol == Protocol::Ec2 ? Protocol::Ec2 : Protocol::Query;
    return tl::unexpected(failure(protocol, std::move(error), std::move(service), request));
  };
  if (entry == nullptr) {
    const Table* loaded = candidates.empty() ? nullptr : table(*candidates.front(), nullptr);
    return refuse(errors::coded("InvalidAction",
                                "Could not find operation " + std::string(action.substr(0, 200)) + " for version " +
                                    (version.empty() ? "NO_VERSION_SPECIFIED" : version.substr(0, 40)),
                                400),
                  loaded != nullptr && candidates.size() < 4 ? loaded->service : nullptr);
  }
  Error why;
  const Table* loaded = table(*entry, &why);
  if (loaded == nullptr) return refuse(why, nullptr);
  if (action.empty())
    return refuse(errors::coded("MissingAction", "The request is missing an action or a required parameter.", 400),
                  loaded->service);
  Routed routed;
  routed.service = loaded->service;
  routed.protocol = loaded->service->protocol == Protocol::Ec2 ? Protocol::Ec2 : Protocol::Query;
  routed.operation = loaded->service->find_operation(action);
  if (in_target) routed.query_in_target = request.query();
  if (routed.operation == nullptr)
    return refuse(
        errors::coded("InvalidAction",
                      "The action " + std::string(action.substr(0, 200)) + " is not valid for this web service.", 400),
        loaded->service);
  return routed;
}

tl::expected<Routed, RouteFailure> Router::route_path(const HttpRequest& request,
                                                      const std::vector<const PackEntry*>& candidates) const {
  const std::vector<std::string_view> pairs = query_keys(request.query());
  const auto bound_is_there = [&](const Member& member) {
    if (member.location == Location::Header) return request.headers.has(member.wire_name);
    return std::ranges::any_of(pairs, [&](std::string_view pair) { return key_of(pair) == member.wire_name; });
  };
  // The more the template says, the better: literals first and early, then fixed keys, then required members.
  const auto score = [&](const Operation& operation) -> std::int64_t {
    std::int64_t points = 1000;
    int weight = 40;
    for (const UriTemplate::Segment& segment : operation.uri.segments) {
      if (!segment.label) points += std::int64_t{1} << weight;
      if (!segment.greedy) points += 5000;
      if (weight > 24) --weight;
    }
    for (const UriTemplate::FixedQuery& fixed : operation.uri.query) {
      const bool there = has_fixed(fixed, pairs);
      if (!there && fixed.key != hint_key) return -1;
      if (there) points += 100;
    }
    if (operation.input != nullptr && operation.input->bindings) {
      for (const auto* bound : {&operation.input->bindings->query, &operation.input->bindings->headers})
        for (const Member* member : *bound)
          if (member->required) points += bound_is_there(*member) ? 2 : -50;
    }
    return operation.deprecated ? points - 1 : points;
  };

  Match best;
  const Table* best_table = nullptr;
  std::string best_path;
  const Table* first_table = nullptr;
  for (const PackEntry* entry : candidates) {
    if (!speaks_rest(*entry)) continue;
    Error why;
    const Table* loaded = table(*entry, &why);
    if (loaded == nullptr) continue;
    if (first_table == nullptr || entry->name == "s3") first_table = loaded;
    const bool s3 = entry->name == "s3";
    std::string path = s3 ? s3_path(request) : std::string(request.path());
    const auto operations = loaded->by_method.find(request.method);
    if (operations == loaded->by_method.end()) continue;
    for (const Operation* operation : operations->second) {
      if (!match_path(operation->uri, path, s3, nullptr)) continue;
      const std::int64_t points = score(*operation);
      if (points <= best.score) continue;
      best = {operation, points};
      best_table = loaded;
      best_path = path;
    }
  }
  if (best.operation == nullptr) {
    const std::shared_ptr<const Service> service = first_table != nullptr ? first_table->service : nullptr;
    const bool s3 = service != nullptr && service->name == "s3";
    Error error =
        s3 ? errors::coded("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
           : errors::coded("UnknownOperationException",
                           "No operation has the path " + std::string(request.path().substr(0, 200)) +
                               " and the method " + request.method.substr(0, 20),
                           404);
    return tl::unexpected(
        failure(service != nullptr ? service->protocol : Protocol::RestJson, std::move(error), service, request));
  }
  Routed routed;
  routed.service = best_table->service;
  routed.operation = best.operation;
  routed.protocol = best_table->service->protocol;
  routed.path = std::move(best_path);
  routed.head = request.method == "HEAD";
  return routed;
}

}  // namespace fixpoint::aws
