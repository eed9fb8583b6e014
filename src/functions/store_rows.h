#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "functions/record.h"
#include "functions/store.h"
#include "store/store.h"

/// The rows of this room's tables, for the files that make up FunctionStore.
namespace fixpoint::functions::rows {

/// 0 for "$LATEST"; nothing for what is no version.
std::optional<std::int64_t> version_number(std::string_view version);

Error function_not_found(const FunctionName& name);
tl::unexpected<Error> invalid_parameter(std::string message);
/// PreconditionFailedException where `expected` is neither empty nor `actual`.
Result<void> check_revision(std::string_view expected, const std::string& actual);

/// One version of a function; nothing where it is not there.
Result<std::optional<FunctionRecord>> find(store::Session& session, const Owner& owner, const std::string& name,
                                           std::int64_t version);
/// $LATEST of a function. Error: ResourceNotFoundException.
Result<FunctionRecord> latest(store::Session& session, const FunctionName& name);
/// What the name's qualifier stands for: a version, an alias's version, $LATEST without one.
Result<FunctionRecord> resolve(store::Session& session, const FunctionName& name);
Result<std::optional<Alias>> find_alias(store::Session& session, const FunctionName& name, std::string_view alias);
/// Writes a version's record over the one that is there.
Result<void> update(store::Transaction& tx, const FunctionRecord& record);

}  // namespace fixpoint::functions::rows
