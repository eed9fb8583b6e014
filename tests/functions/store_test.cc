#include "functions/store.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/text.h"
#include "functions/zips.h"
#include "json/text.h"
#include "support/postgres.h"

namespace fixpoint::functions {
namespace {

const Owner owner{"123456789012", "eu-central-1"};

std::string code(const Error& error) {
  return error.code + " " + std::to_string(error.http_status);
}

FunctionName named(std::string_view text, std::string_view qualifier = {}) {
  const auto name = parse_function_name(text, owner, qualifier);
  EXPECT_TRUE(name) << describe(name.error());
  return name ? *name : FunctionName{};
}

class Functions : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::no_python().empty()) GTEST_SKIP() << test::no_python();
    zip_ = test::zip_of({{"app.py", "def handler(e, c): pass"}});
    other_zip_ = test::zip_of({{"app.py", "def handler(e, c): return 2"}});
    auto opened = store::Store::open(test::store_options(), {FunctionStore::schema()});
    ASSERT_TRUE(opened) << describe(opened.error());
    store_ = std::move(*opened);
    functions_ = std::make_unique<FunctionStore>(*store_, clock_);
  }

  CreateFunction input(const std::string& name = "thing") const {
    CreateFunction out;
    out.name = name;
    out.runtime = "python3.12";
    out.handler = "app.handler";
    out.role = "arn:aws:iam::123456789012:role/service-role/lambda";
    out.code_zip = zip_;
    return out;
  }
  FunctionRecord create(const CreateFunction& what) {
    const auto record = functions_->create(owner, what);
    EXPECT_TRUE(record) << describe(record.error());
    return record ? *record : FunctionRecord{};
  }
  template <class T>
  static Error error_of(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? Error{} : result.error();
  }

  std::string zip_, other_zip_;
  ManualClock clock_{1704164645678};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<FunctionStore> functions_;
};

TEST_F(Functions, stores_a_function_with_lambdas_defaults) {
  const FunctionRecord created = create(input());
  EXPECT_EQ(created.arn(), "arn:aws:lambda:eu-central-1:123456789012:function:thing");
  EXPECT_EQ(created.version, "$LATEST");
  EXPECT_EQ(created.timeout_s, 3);
  EXPECT_EQ(created.memory_mb, 128);
  EXPECT_EQ(created.code_sha256, base64_encode(sha256(zip_)));
  EXPECT_EQ(created.code_bytes, static_cast<std::int64_t>(zip_.size()));
  const auto got = functions_->get(named("thing"));
  ASSERT_TRUE(got);
  EXPECT_EQ(json::print(record_to_json(*got)), json::print(record_to_json(created)));
  EXPECT_EQ(functions_->code(*got).value(), zip_);
  const json::Value shown = configuration_of(*got, false);
  EXPECT_EQ(shown["LastModified"], "2024-01-02T03:04:05.678+0000");
  EXPECT_EQ(shown["FunctionArn"], created.arn());
  EXPECT_EQ(configuration_of(*got, true)["FunctionArn"], created.arn() + ":$LATEST");
  EXPECT_EQ(shown["State"], "Active");
  EXPECT_EQ(shown.find("Environment"), nullptr);
}

TEST_F(Functions, what_is_there_already_and_what_is_not_has_lambdas_words) {
  create(input());
  EXPECT_EQ(describe(error_of(functions_->create(owner, input()))),
            "ResourceConflictException: Function already exist: thing");
  EXPECT_EQ(code(error_of(functions_->create(owner, input()))), "ResourceConflictException 409");
  const Error missing = error_of(functions_->get(named("other")));
  EXPECT_EQ(code(missing), "ResourceNotFoundException 404");
  EXPECT_EQ(missing.message, "Function not found: arn:aws:lambda:eu-central-1:123456789012:function:other");
  EXPECT_EQ(error_of(functions_->get(named("thing", "7"))).message,
            "Function not found: arn:aws:lambda:eu-central-1:123456789012:function:thing:7");
  EXPECT_EQ(error_of(functions_->get(named("thing:live"))).message,
            "Function not found: arn:aws:lambda:eu-central-1:123456789012:function:thing:live");
  EXPECT_EQ(code(error_of(functions_->remove(named("other")))), "ResourceNotFoundException 404");
}

TEST_F(Functions, refuses_bad_input_whole) {
  struct Case {
    std::function<void(CreateFunction&)> change;
    std::string code, part;
  };
  const std::vector<Case> cases{
      {[](auto& in) { in.runtime = "nodejs20.x"; }, "InvalidParameterValueException",
       "runs Python handlers, so name one of python3.6 to python3.14"},
      {[](auto& in) { in.runtime = "python3.99"; }, "InvalidParameterValueException", "python3.99 cannot be run here"},
      {[](auto& in) { in.runtime = "python3.012"; }, "InvalidParameterValueException", "cannot be run here"},
      {[](auto& in) { in.runtime = ""; }, "InvalidParameterValueException", "mandatory"},
      {[](auto& in) { in.layers = {"arn:aws:lambda:eu-central-1:1:layer:l:1"}; }, "InvalidParameterValueException",
       "has no layers"},
      {[](auto& in) { in.package_type = "Image"; }, "InvalidParameterValueException", "PackageType is Zip"},
      {[](auto& in) { in.name = "a b"; }, "ValidationException", "functionName"},
      {[](auto& in) { in.name = std::string(65, 'a'); }, "ValidationException", "more than 64"},
      {[](auto& in) { in.name = "thing:live"; }, "InvalidParameterValueException", "without a qualifier"},
      {[](auto& in) { in.handler = "app handler"; }, "ValidationException", "handler"},
      {[](auto& in) { in.handler = ""; }, "ValidationException", "handler"},
      {[](auto& in) { in.role = "lambda-role"; }, "ValidationException", "role"},
      {[](auto& in) { in.timeout_s = 901; }, "ValidationException", "less than or equal to 900"},
      {[](auto& in) { in.timeout_s = 0; }, "ValidationException", "greater than or equal to 1"},
      {[](auto& in) { in.memory_mb = 64; }, "ValidationException", "greater than or equal to 128"},
      {[](auto& in) { in.memory_mb = 4'294'967'424; }, "ValidationException", "memorySize"},
      {[](auto& in) { in.environment = {{"AWS_REGION", "x"}}; }, "InvalidParameterValueException",
       "Reserved keys used in this request: AWS_REGION"},
      {[](auto& in) { in.environment = {{"1BAD", "x"}}; }, "ValidationException", "'1BAD'"},
      {[](auto& in) { in.environment = {{"BIG", std::string(5000, 'x')}}; }, "InvalidParameterValueException",
       "exceeded the 4KB limit"},
      {[](auto& in) { in.code_zip = "no zip"; }, "InvalidParameterValueException", "Could not unzip uploaded file"},
      {[](auto& in) { in.code_zip.clear(); }, "InvalidParameterValueException", "Could not unzip uploaded file"},
      {[](auto& in) { in.architecture = "mips"; }, "ValidationException", "architectures"},
      {[](auto& in) { in.description = std::string(257, 'x'); }, "ValidationException", "256"},
  };
  for (const Case& each : cases) {
    CreateFunction bad = input();
    each.change(bad);
    const Error error = error_of(functions_->create(owner, bad));
    EXPECT_EQ(error.code, each.code) << error.message;
    EXPECT_NE(error.message.find(each.part), std::string::npos) << error.message << " lacks " << each.part;
  }
  EXPECT_TRUE(functions_->list(owner, "", 50).value().items.empty());
}

TEST_F(Functions, keeps_to_the_sizes_of_zip_and_storage) {
  FunctionStore small(*store_, clock_, {.zip_bytes = 10});
  EXPECT_EQ(code(error_of(small.create(owner, input()))), "RequestTooLargeException 413");
  FunctionStore little(*store_, clock_, {.code_storage_bytes = static_cast<std::int64_t>(zip_.size())});
  ASSERT_TRUE(little.create(owner, input("one")));
  ASSERT_TRUE(little.create(owner, input("two"))) << "the same code is held once";
  EXPECT_EQ(code(error_of(little.update_code(named("two"), other_zip_, false, {}))),
            "CodeStorageExceededException 400");
  EXPECT_EQ(functions_->get(named("two"))->code_sha256, base64_encode(sha256(zip_)));
}

TEST_F(Functions, lists_page_by_page) {
  for (const char* name : {"b", "a", "c"}) create(input(name));
  const auto first = functions_->list(owner, "", 2).value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[0].name, "a");
  EXPECT_EQ(first.next_marker, "b");
  const auto second = functions_->list(owner, first.next_marker, 2).value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.next_marker, "");
  EXPECT_TRUE(functions_->list({"210987654321", "eu-central-1"}, "", 2).value().items.empty());
  EXPECT_EQ(error_of(functions_->list(owner, "", 0)).code, "ValidationException");
}

TEST_F(Functions, publishes_versions_that_stay_as_they_are) {
  CreateFunction what = input();
  what.publish = true;
  EXPECT_EQ(create(what).version, "1");
  EXPECT_EQ(functions_->publish(named("thing"), {}, {}, {})->version, "1") << "nothing changed";
  const auto changed = functions_->update_code(named("thing"), other_zip_, true, {});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->version, "2");
  EXPECT_EQ(functions_->code(*functions_->get(named("thing:1"))).value(), zip_);
  EXPECT_EQ(functions_->code(*functions_->get(named("thing"))).value(), other_zip_);
  ASSERT_TRUE(functions_->update_configuration(named("thing"), {.timeout_s = 60}));
  EXPECT_EQ(functions_->get(named("thing", "2"))->timeout_s, 3);
  EXPECT_EQ(functions_->publish(named("thing"), {}, {}, "a release")->version, "3");
  const auto versions = functions_->list_versions(named("thing"), "", 50).value().items;
  ASSERT_EQ(versions.size(), 4U);
  EXPECT_EQ(versions[0].version, "$LATEST");
  EXPECT_EQ(versions[3].description, "a release");
  EXPECT_EQ(error_of(functions_->publish(named("thing"), "wrong", {}, {})).code, "InvalidParameterValueException");
  EXPECT_EQ(code(error_of(functions_->publish(named("thing"), {}, "old", {}))), "PreconditionFailedException 412");
  // A number is never given twice.
  ASSERT_TRUE(functions_->remove(named("thing", "3")));
  EXPECT_EQ(functions_->publish(named("thing"), {}, {}, "again")->version, "4");
}

TEST_F(Functions, changes_only_the_revision_that_was_meant) {
  const FunctionRecord created = create(input());
  EXPECT_EQ(code(error_of(functions_->update_code(named("thing"), other_zip_, false, "not-this"))),
            "PreconditionFailedException 412");
  clock_.advance_ms(1000);
  const auto changed = functions_->update_code(named("thing"), other_zip_, false, created.revision_id);
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->revision_id, created.revision_id);
  EXPECT_EQ(changed->last_modified_ms, created.last_modified_ms + 1000);
  EXPECT_EQ(
      error_of(functions_->update_configuration(named("thing"), {.timeout_s = 5, .revision_id = created.revision_id}))
          .code,
      "PreconditionFailedException");
  EXPECT_EQ(error_of(functions_->update_configuration(named("thing"), {.runtime = "ruby3.2"})).code,
            "InvalidParameterValueException");
  EXPECT_EQ(functions_->get(named("thing"))->runtime, "python3.12");
}

TEST_F(Functions, aliases_name_versions) {
  CreateFunction what = input();
  what.publish = true;
  create(what);
  const auto alias = functions_->create_alias(named("thing"), {"live", "1", "the live one", {}});
  ASSERT_TRUE(alias) << describe(alias.error());
  EXPECT_EQ(functions_->get(named("arn:aws:lambda:eu-central-1:123456789012:function:thing:live"))->version, "1");
  EXPECT_EQ(code(error_of(functions_->create_alias(named("thing"), {"live", "1", {}, {}}))),
            "ResourceConflictException 409");
  EXPECT_EQ(error_of(functions_->create_alias(named("thing"), {"x", "9", {}, {}})).code, "ResourceNotFoundException");
  EXPECT_EQ(error_of(functions_->create_alias(named("thing"), {"12", "1", {}, {}})).code, "ValidationException");
  EXPECT_EQ(code(error_of(functions_->remove(named("thing:1")))), "ResourceConflictException 409");
  EXPECT_EQ(error_of(functions_->remove(named("thing", "$LATEST"))).code, "InvalidParameterValueException");
  EXPECT_EQ(functions_->update_alias(named("thing"), {"live", "$LATEST", {}, {}})->description, "the live one");
  EXPECT_EQ(error_of(functions_->update_alias(named("thing"), {"live", "1", {}, "old"})).code,
            "PreconditionFailedException");
  EXPECT_TRUE(functions_->remove(named("thing:1")));
  EXPECT_EQ(functions_->list_aliases(named("thing"))->size(), 1U);
  EXPECT_TRUE(functions_->remove_alias(named("thing"), "live"));
  EXPECT_EQ(error_of(functions_->get_alias(named("thing"), "live")).message,
            "Cannot find alias arn: arn:aws:lambda:eu-central-1:123456789012:function:thing:live");
}

TEST_F(Functions, a_policy_holds_statements_until_they_are_removed) {
  create(input());
  EXPECT_EQ(error_of(functions_->policy(named("thing"))).message, "The resource you requested does not exist.");
  const AddPermission permission{"events",
                                 "lambda:InvokeFunction",
                                 "events.amazonaws.com",
                                 "arn:aws:events:eu-central-1:123456789012:rule/r",
                                 "123456789012",
                                 {},
                                 {},
                                 {}};
  const auto statement = functions_->add_permission(named("thing"), permission);
  ASSERT_TRUE(statement) << describe(statement.error());
  EXPECT_EQ(
      json::print(*statement),
      R"({"Sid":"events","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction",)"
      R"("Resource":"arn:aws:lambda:eu-central-1:123456789012:function:thing","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},)"
      R"("ArnLike":{"AWS:SourceArn":"arn:aws:events:eu-central-1:123456789012:rule/r"}}})");
  EXPECT_EQ(code(error_of(functions_->add_permission(named("thing"), permission))), "ResourceConflictException 409");
  AddPermission account = permission;
  account.statement_id = "account";
  account.principal = "210987654321";
  EXPECT_EQ((*functions_->add_permission(named("thing"), account))["Principal"]["AWS"],
            "arn:aws:iam::210987654321:root");
  EXPECT_EQ(functions_->policy(named("thing")).value()["Statement"].size(), 2U);
  account.statement_id = "not a sid";
  EXPECT_EQ(error_of(functions_->add_permission(named("thing"), account)).code, "ValidationException");
  ASSERT_TRUE(functions_->remove_permission(named("thing"), "events"));
  EXPECT_EQ(error_of(functions_->remove_permission(named("thing"), "events")).message,
            "Statement events is not found in resource policy.");
  EXPECT_EQ(functions_->policy(named("thing")).value()["Statement"].size(), 1U);
}

TEST_F(Functions, nothing_is_left_of_a_function_that_was_deleted) {
  CreateFunction what = input();
  what.publish = true;
  create(what);
  ASSERT_TRUE(functions_->create_alias(named("thing"), {"live", "1", {}, {}}));
  ASSERT_TRUE(functions_->remove(named("thing")));
  EXPECT_EQ(error_of(functions_->get(named("thing", "1"))).code, "ResourceNotFoundException");
  for (const char* table : {"lambda_function", "lambda_code", "lambda_alias", "lambda_permission"}) {
    const auto rows = store_->read(
        [&](store::Session& session) { return session.query(std::string("SELECT count(*) FROM ") + table); });
    EXPECT_EQ(rows.value()[0].integer(0), 0) << table;
  }
}

TEST(FunctionNames, every_form_that_lambda_takes) {
  for (const char* text : {"thing:live", "123456789012:function:thing:live", "function:thing:live",
                           "arn:aws:lambda:eu-central-1:123456789012:function:thing:live",
                           "eu-central-1:123456789012:function:thing:live"}) {
    const auto name = parse_function_name(text, owner);
    ASSERT_TRUE(name) << text << describe(name.error());
    EXPECT_EQ(name->name, "thing") << text;
    EXPECT_EQ(name->qualifier, "live") << text;
    EXPECT_EQ(name->owner, owner) << text;
  }
  EXPECT_EQ(named("210987654321:function:thing").owner.account, "210987654321");
  EXPECT_EQ(named("thing:$LATEST").qualifier, "$LATEST");
  EXPECT_EQ(named("thing", "live").qualifier, "live");
  EXPECT_EQ(named("thing:live", "live").qualifier, "live");
  EXPECT_EQ(named("123456789012").name, "123456789012");
  const Owner there{"123456789012", "cn-north-1"};
  EXPECT_TRUE(parse_function_name("arn:aws-cn:lambda:cn-north-1:123456789012:function:thing", there));
}

TEST(FunctionNames, refuses_other_texts) {
  for (const char* text : {"", "a/b", "thing:", ":live", "a:b:c", "arn:aws:lambda:eu-central-1:123456789012:function",
                           "arn:aws:s3:::bucket", "arn:aws:lambda:eu-central-1:12:function:thing", "thing:li ve",
                           "arn:aws:lambda:eu-central-1:123456789012:layer:thing",
                           "arn:aws-cn:lambda:eu-central-1:123456789012:function:thing",
                           "arn:awsome:lambda:eu-central-1:123456789012:function:thing",
                           "arn:aws:lambda:cn-north-1:123456789012:function:thing"}) {
    const auto name = parse_function_name(text, owner);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, "ValidationException") << text;
  }
  EXPECT_EQ(parse_function_name("thing:live", owner, "other").error().code, "InvalidParameterValueException");
  const auto elsewhere = parse_function_name("arn:aws:lambda:us-east-1:123456789012:function:thing", owner);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().message, "Functions from 'us-east-1' are not reachable in this region ('eu-central-1')");
}

}  // namespace
}  // namespace fixpoint::functions
