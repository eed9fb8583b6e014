#pragma once

#include <string>
#include <string_view>

#include "aws/models.h"
#include "aws/sign.h"
#include "json/value.h"

namespace fixpoint::bench {

/// The bytes of a signed HTTP/1.1 request, for us-east-1. Ends the process where the operation or the input is none.
std::string signed_request(const aws::Models& models, std::string_view service, std::string_view operation,
                           const json::Value& input, const std::string& host, const aws::Credentials& key);

}  // namespace fixpoint::bench
