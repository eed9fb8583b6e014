// Any JSON as a document that is imported: it is refused with a sentence, or taken; what was taken and is valid in the
// finding format is taken again as it stands, with nothing left to repair.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "findings/asff.h"
#include "json/text.h"
#include "sources/sources.h"

using namespace fixpoint;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sources::Caller caller{"111111111111", "us-east-1"};
  const auto document = json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!document) return 0;
  const auto taken = sources::take(*document, caller);
  if (!taken) {
    if (taken.error().code != "InvalidInputException" || taken.error().message.empty()) std::abort();
    return 0;
  }
  for (const json::Value& finding : taken->findings) {
    if (!findings::validate_asff(finding)) continue;
    // Within a list, where no member makes it an event or an answer.
    const auto again = sources::take(json::Object{{"Findings", json::Array{finding}}}, caller);
    if (!again || again->findings.size() != 1 || !(again->findings[0] == finding) || !again->repaired.empty()) {
      std::fprintf(stderr, "differs: %s\n", json::print(finding).c_str());
      std::abort();
    }
  }
  return 0;
}
