#include "main/data_folder.h"

#include <filesystem>

#include "base/shell.h"
#include "store/private_file.h"

namespace fixpoint::main {

Error no_server_ran(const std::string& folder) {
  return errors::validation("no server has run with the data folder " + folder +
                            "; start one with 'fixpoint serve --data " + shell_word(folder) + "'");
}

Result<identity::KeyFile> keys_in(const std::string& folder) {
  FIXPOINT_CHECK(store::check_private_folder(folder));
  auto file = identity::KeyFile::read(folder);
  if (file || file.error().code != "ResourceNotFoundException") return file;
  std::error_code none;
  if (!std::filesystem::exists(folder + "/server.json", none)) return fail(no_server_ran(folder));
  return fail(errors::validation("the keys of the data folder " + folder +
                                 " are not there: no keys.json is in it; restore it, or start the server again, which "
                                 "makes new ones"));
}

}  // namespace fixpoint::main
