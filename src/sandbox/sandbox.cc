#include "sandbox/sandbox.h"

#include <exception>

#include "base/arn.h"
#include "base/fault.h"
#include "base/id.h"
#include "sandbox/declared.h"
#include "sandbox/operation.h"

namespace fixpoint::sandbox {

std::string Request::partition() const {
  return std::string(partition_of_region(context.region));
}

std::string Request::arn(std::string_view service, std::string_view resource) const {
  std::string out = "arn:";
  out.append(partition_of_region(context.region)).append(":").append(service).append(":");
  out.append(context.region).append(":").append(context.account).append(":").append(resource);
  return out;
}

Scope Request::regional(std::string_view service, std::string_view type) const {
  return {std::string(service), std::string(type), context.account, context.region};
}

Scope Request::global(std::string_view service, std::string_view type) const {
  return {std::string(service), std::string(type), context.account, {}};
}

struct Sandbox::Parts {
  Parts(store::Store& store, const Clock& the_clock, const Options& options)
      : state(store, options.cache_limit_bytes), clock(the_clock) {}
  State state;
  const Clock& clock;
  Services services;
};

store::Schema Sandbox::schema() {
  return State::schema();
}

Sandbox::Sandbox(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Sandbox::~Sandbox() = default;

Result<std::unique_ptr<Sandbox>> Sandbox::open(store::Store& store, const catalog::Catalog& catalog, const Clock& clock,
                                               Options options) {
  auto parts = std::make_unique<Parts>(store, clock, options);
  FIXPOINT_TRY(absent, add_declared(catalog, parts->services));
  add_s3(parts->services);
  add_s3_objects(parts->services);
  add_ec2(parts->services);
  add_cloudtrail(parts->services);
  add_kms(parts->services);
  add_iam(parts->services);
  add_rds(parts->services);
  add_logs(parts->services);
  FIXPOINT_CHECK(refuse_absent(absent, parts->services));
  FIXPOINT_CHECK(parts->state.load());
  return std::unique_ptr<Sandbox>(new Sandbox(std::move(parts)));
}

// What a test of crashes counts, in the transaction of the call's own effect.
static void note_call(Request& request, std::string_view service) {
  request.state.put(request.regional("fixpoint", "call"), random_uuid(),
                    json::Object{{"Execution", request.context.execution},
                                 {"Call", std::string(service) + ":" + std::string(request.operation)},
                                 {"Input", request.input}});
}

Result<const Operation*> Sandbox::find(std::string_view service, std::string_view operation) const {
  const auto found = parts_->services.find(service);
  if (found == parts_->services.end())
    return fail(errors::not_implemented("the embedded account does not have the service " + std::string(service) +
                                        " (asked for " + std::string(operation) + ")"));
  const auto row = found->second.find(operation);
  if (row == found->second.end())
    return fail(errors::not_implemented("the embedded account does not have the operation " + std::string(operation) +
                                        " of " + std::string(service)));
  return &row->second;
}

Result<json::Value> Sandbox::run(const Operation& row, Request request, std::string_view service) {
  try {
    auto answer = row.run(request);
    if (answer && is_fault_test() && !request.context.execution.empty() && (row.changes || request.state.changed()))
      note_call(request, service);
    return answer;
  } catch (const std::exception& broken) {
    return fail(errors::internal("the embedded account failed in " + std::string(service) + ":" +
                                 std::string(request.operation) + ": " + broken.what()));
  }
}

Result<json::Value> Sandbox::call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                                  const json::Value& input) {
  FIXPOINT_TRY(row, find(service, operation));
  const auto work = [&](View& view) {
    return run(*row, {context, input, view, parts_->clock.now_ms(), operation}, service);
  };
  if (!row->changes) {
    bool changed = false;
    auto answer = parts_->state.read(work, changed);
    if (!changed || !answer) return answer;
  }
  return parts_->state.write(work);
}

Sandbox::Quick Sandbox::call_quickly(const aws::CallContext& context, std::string_view service,
                                     std::string_view operation, const json::Value& input) {
  const auto row = find(service, operation);
  if (!row) return {fail(row.error()), 0};
  if ((*row)->changes) return {};
  auto quick = parts_->state.read_quickly(
      [&](View& view) { return run(**row, {context, input, view, parts_->clock.now_ms(), operation}, service); });
  return {std::move(quick.answer), quick.content_bytes};
}

std::vector<std::pair<std::string, std::string>> Sandbox::operations() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [service, table] : parts_->services)
    for (const auto& [operation, row] : table) out.emplace_back(service, operation);
  return out;
}

Sandbox::Figures Sandbox::figures() const {
  return {parts_->state.resources(), parts_->state.cached_bytes()};
}

}  // namespace fixpoint::sandbox
