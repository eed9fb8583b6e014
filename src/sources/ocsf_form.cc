// A finding in OCSF: an event or answer of Security Hub V2, or what Prowler and others write.
#include "findings/ocsf.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Value;

// The sentence begins with the path, as Item::bad makes one.
Error bad(const Item& item, const Error& error) {
  std::string_view message = error.message;
  if (!error.where.empty() && message.starts_with(error.where + " ")) message.remove_prefix(error.where.size() + 1);
  return item.bad(error.where.empty() ? "the document" : error.where, std::string(message));
}

}  // namespace

bool is_ocsf(const Value& value) {
  return findings::is_ocsf(value);
}

Result<Value> read_ocsf(const Item& item) {
  auto original = findings::original_of(item.value);
  if (!original) return fail(bad(item, original.error()));
  auto finding = findings::asff_of(*original);
  if (!finding) return fail(bad(item, finding.error()));
  if ((*finding)["Sample"].bool_or(false)) item.repaired(std::string(sample_note));
  if (item.original != nullptr) *item.original = std::move(*original);
  return finding;
}

}  // namespace fixpoint::sources
