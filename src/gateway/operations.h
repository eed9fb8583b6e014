#pragma once

#include "aws/models.h"
#include "base/error.h"
#include "gateway/dispatch.h"
#include "json/value.h"
#include "sandbox/sandbox.h"

namespace fixpoint::gateway {

/// What can be called: {"Own": {SERVICE: {"There": [...], "NotThere": [...]}}, "Account": {SERVICE: [...]}}, names
/// sorted. Own are the services that fixpoint is; what is not there of them is what their models have besides.
/// Account is the embedded account, and empty without one. Errors: InvalidModel.
Result<json::Value> operations_there(const Dispatch& dispatch, const aws::Models& models,
                                     const sandbox::Sandbox* embedded);

}  // namespace fixpoint::gateway
