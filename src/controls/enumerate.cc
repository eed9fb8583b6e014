#include "controls/enumerate.h"

#include "base/arn.h"

namespace fixpoint::controls {

using json::Value;

Result<std::vector<std::string>> enumerate(const Control& control, const aws::CallContext& context,
                                           changes::Door& door) {
  if (!control.list || !control.list_each)
    return fail(errors::validation("control " + control.id + " does not say how to list its resources", "list"));
  jsonata::Bindings bindings;
  bindings.set("account", Value(context.account));
  bindings.set("region", Value(context.region));
  bindings.set("partition", Value(partition_of_region(context.region)));
  FIXPOINT_TRY(input, control.list->input.fill(Value(json::Object()), bindings));
  FIXPOINT_TRY(answer, door.read_all(context, control.list->service, control.list->operation,
                                     input ? *input : Value(json::Object())));
  FIXPOINT_TRY(each, control.list_each->fill(answer, bindings));
  std::vector<std::string> out;
  if (!each) return out;
  // JSONata makes a single element of a list of one.
  const json::Array list = each->is_array() ? each->as_array() : json::Array{*each};
  for (const Value& arn : list) {
    if (!arn.is_string())
      return fail(errors::validation(
          "control " + control.id + ": list.each gives " + std::string(json::kind_name(arn)) + ", not an ARN",
          "list.each"));
    out.push_back(arn.as_string());
  }
  return out;
}

}  // namespace fixpoint::controls
