#include "catalog/catalog.h"

#include <fstream>
#include <gtest/gtest.h>

#include "json/yaml.h"
#include "support/paths.h"
#include "support/temp_dir.h"

namespace fixpoint::catalog {
namespace {

TEST(Catalog, carries_every_file_of_the_repository_byte_for_byte) {
  const Catalog catalog = Catalog::embedded();
  const std::filesystem::path folder = std::filesystem::path(FIXPOINT_SOURCE) / "catalog";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const std::string* text = catalog.find(entry.path().lexically_relative(folder).generic_string());
    ASSERT_NE(text, nullptr) << entry.path();
    EXPECT_EQ(*text, test::read_file(entry.path()));
    const auto parsed = json::parse_yaml(*text);
    EXPECT_TRUE(parsed) << entry.path() << " " << describe(parsed.error());
  }
  EXPECT_GT(count, 0U);
}

TEST(Catalog, a_users_folder_lies_over_it) {
  const test::TempDir dir;
  std::filesystem::create_directories(dir.path() / "controls");
  std::ofstream(dir.path() / "controls" / "X.1.yaml") << "control: X.1\n";
  Catalog catalog = Catalog::embedded();
  ASSERT_TRUE(catalog.overlay(dir.string()));
  ASSERT_NE(catalog.find("controls/X.1.yaml"), nullptr);
  const auto listed = catalog.list("controls");
  EXPECT_NE(std::find(listed.begin(), listed.end(), "controls/X.1.yaml"), listed.end());
}

TEST(Catalog, a_folder_that_is_not_there_is_an_error) {
  Catalog catalog = Catalog::embedded();
  EXPECT_FALSE(catalog.overlay("/nowhere/at/all"));
}

}  // namespace
}  // namespace fixpoint::catalog
