#include "functions/zip.h"

#include <gtest/gtest.h>

#include "functions/zips.h"

namespace fixpoint::functions {
namespace {

class Zip : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::no_python().empty()) GTEST_SKIP() << test::no_python();
  }
  static std::string refusal(std::string_view bytes, const ZipLimits& limits = {}) {
    const auto checked = check_zip(bytes, limits);
    if (checked) return "was taken";
    EXPECT_EQ(checked.error().code, "InvalidParameterValueException");
    EXPECT_EQ(checked.error().http_status, 400);
    return checked.error().message;
  }
};

TEST_F(Zip, counts_entries_and_what_they_unpack_to) {
  const auto summary =
      check_zip(test::zip_of({{"app.py", std::string(1000, 'x')}, {"lib/a.py", "12345"}, {"lib/empty.py", ""}}));
  ASSERT_TRUE(summary) << describe(summary.error());
  EXPECT_EQ(summary->entries, 3);
  EXPECT_EQ(summary->unpacked_bytes, 1005);
}

TEST_F(Zip, refuses_what_is_no_zip_in_lambdas_words) {
  for (const std::string& bytes :
       {std::string("hello"), std::string(), std::string(100, '\0'), std::string(100'000, 'P')})
    EXPECT_TRUE(
        refusal(bytes).starts_with("Could not unzip uploaded file. Please check your file, then try to upload again."))
        << refusal(bytes);
}

TEST_F(Zip, refuses_names_that_lead_out) {
  for (const char* name : {"../app.py", "a/../../app.py", "/etc/passwd", "a\\\\..\\\\b.py", ".."})
    EXPECT_NE(refusal(test::zip_of({{name, "x"}})).find("leads out of the function's folder"), std::string::npos)
        << name;
  EXPECT_TRUE(check_zip(test::zip_of({{"a..b/..c/d...py", "x"}})));
}

TEST_F(Zip, refuses_a_symbolic_link) {
  const test::TempDir dir;
  std::ofstream(dir.path() / "make.py") << "import zipfile\nz=zipfile.ZipFile('" << dir.string()
                                        << "/out.zip','w')\ni=zipfile.ZipInfo('link')\ni.create_system=3\ni.external_"
                                           "attr=0o120777<<16\nz.writestr(i,'/etc')\nz.close()\n";
  ASSERT_EQ(std::system(("/usr/bin/python3 " + dir.string() + "/make.py").c_str()), 0);
  EXPECT_NE(refusal(test::read_file(dir.path() / "out.zip")).find("symbolic link"), std::string::npos);
}

TEST_F(Zip, keeps_to_its_limits) {
  const std::string zip = test::zip_of({{"a", std::string(600, 'x')}, {"b", std::string(600, 'x')}});
  EXPECT_NE(refusal(zip, {.entries = 1}).find("has 2 entries; at most 1"), std::string::npos);
  EXPECT_EQ(refusal(zip, {.unpacked_bytes = 1199}), "Unzipped size must be smaller than 1199 bytes");
  EXPECT_TRUE(check_zip(zip, {.entries = 2, .unpacked_bytes = 1200}));
}

TEST_F(Zip, a_zip_without_entries_is_refused) {
  EXPECT_EQ(refusal(test::zip_of({})), "Uploaded file must be a non-empty zip");
}

TEST_F(Zip, reads_no_byte_beyond_a_file_that_was_cut_or_damaged) {
  const std::string zip = test::zip_of({{"app.py", "def handler(e, c): pass"}, {"lib/b.py", "x = 1"}});
  for (std::size_t size = 0; size < zip.size(); ++size) EXPECT_FALSE(check_zip(std::string(zip.data(), size))) << size;
  // Every byte damaged in turn: an answer, whichever it is, and under the address sanitizer no access beyond.
  int refused = 0;
  for (std::size_t at = 0; at < zip.size(); ++at) {
    std::string damaged = zip;
    damaged[at] = static_cast<char>(~damaged[at]);
    if (!check_zip(damaged)) ++refused;
  }
  EXPECT_GT(refused, 40);
}

}  // namespace
}  // namespace fixpoint::functions
