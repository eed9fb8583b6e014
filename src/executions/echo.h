#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace fixpoint::executions {

/// The execution that caused an event in the form of CloudTrail's ("AWS API Call via CloudTrail": detail.userAgent,
/// which the account's client ends with "execution/ID"); empty where it names none.
/// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
std::string execution_in(const json::Value& event);

}  // namespace fixpoint::executions
