#include "sandbox/operation.h"

namespace fixpoint::sandbox {
namespace {

// The attributes that are asked for by name; "All" for all of them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
Reply get_queue_attributes(Request& request) {
  const std::string_view url = request.text("QueueUrl");
  const Document queue = request.state.get(request.regional("sqs", "queue"), url.substr(url.rfind('/') + 1));
  if (!queue) return fail(errors::coded("QueueDoesNotExist", "The specified queue does not exist.", 400));
  const json::Value& there = (*queue)["Attributes"];
  const json::Value& names = request.input["AttributeNames"];
  json::Object picked;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names[i].string_or({});
    if (name == "All") return json::Object{{"Attributes", there}};
    if (!there[name].is_null()) picked.set(name, there[name]);
  }
  if (picked.empty()) return empty();
  return json::Object{{"Attributes", std::move(picked)}};
}

}  // namespace

void add_sqs(Services& services) {
  Operations table("sqs", services);
  table.reads("GetQueueAttributes", get_queue_attributes);
}

}  // namespace fixpoint::sandbox
