#include "changes/recipes.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "support/temp_dir.h"

namespace fixpoint::changes {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Result<Recipes> load(const std::string& text) {
  test::TempDir folder;
  std::filesystem::create_directories(folder.path() / "operations");
  std::ofstream(folder.path() / "operations/shop.yaml") << text;
  catalog::Catalog catalog;
  if (auto laid = catalog.overlay(folder.string()); !laid) return fail(laid.error());
  return Recipes::load(catalog);
}

TEST(Recipes, say_file_and_place_of_every_fault) {
  const struct {
    const char* text;
    const char* sentence;
  } faults[] = {
      {"[PutHat]", "operations/shop.yaml: has to be a mapping of operations to recipes"},
      {"PutHat: {", "operations/shop.yaml: "},
      {"PutHat: 3", "shop.yaml:PutHat: has to be a mapping"},
      {"PutHat: {befor: {}}",
       "shop.yaml:PutHat: 'befor' is not known here; there are before, undo, irreversible, leaves, compare, resource, "
       "answer, "
       "intended"},
      {"PutHat: {}", "shop.yaml:PutHat: has to say either 'undo' or 'irreversible'"},
      {"PutHat: {before: {call: shop:GetHat}}", "shop.yaml:PutHat: has to say either 'undo' or 'irreversible'"},
      {"PutHat: {irreversible: gone, undo: {call: shop:DropHat}}",
       "shop.yaml:PutHat: has to say either 'undo' or 'irreversible'"},
      {"PutHat: {irreversible: ''}", "shop.yaml:PutHat.irreversible: has to say why in a sentence"},
      {"PutHat: {irreversible: true}", "shop.yaml:PutHat.irreversible: has to say why in a sentence"},
      {"PutHat: {irreversible: x, before: {input: {}}}", "shop.yaml:PutHat.before.call: is missing"},
      {"PutHat: {irreversible: x, before: {call: GetHat}}", "PutHat.before.call: 'GetHat' names no call; the form is"},
      {"PutHat: {irreversible: x, before: {call: 'shop:'}}", "PutHat.before.call: 'shop:' names no call"},
      {"PutHat: {irreversible: x, before: {call: ':GetHat'}}", "PutHat.before.call: ':GetHat' names no call"},
      {"PutHat: {irreversible: x, before: {call: 'a:b:c'}}", "PutHat.before.call: 'a:b:c' names no call"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, input: 3}}",
       "PutHat.before.input: has to be a mapping or an expression"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, input: {A: '{% ( %}'}}}", "PutHat.before.input: "},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, take: '{% [ %}'}}", "PutHat.before.take: "},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, absent: NoHat}}",
       "PutHat.before.absent: has to be a list of names"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, absent: [404]}}",
       "PutHat.before.absent: has to be a list of names"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, gone: [NoHat]}}",
       "PutHat.before: 'gone' is not known here; there are call, input, absent, take, also"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, also: [x]}}",
       "PutHat.before.also: has to be a mapping of names to calls"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, also: {Band: {call: GetBand}}}}",
       "PutHat.before.also.Band.call: 'GetBand' names no call"},
      {"PutHat: {irreversible: x, before: {call: shop:GetHat, also: {Band: {call: shop:GetBand, also: {}}}}}",
       "PutHat.before.also.Band: 'also' is not known here; there are call, input, absent, take"},
      {"PutHat: {undo: {call: shop:DropHat}, irreversible: [{when: x}]}",
       "PutHat.irreversible[0].because: has to say why in a sentence"},
      {"PutHat: {undo: {call: shop:DropHat}, irreversible: [{when: '{% ( %}', because: x}]}",
       "PutHat.irreversible[0].when: "},
      {"PutHat: {undo: {call: shop:DropHat}, leaves: {when: x}}", "PutHat.leaves: has to say why in a sentence"},
      {"PutHat: {irreversible: [{when: '{% true %}', because: x}]}",
       "PutHat: has to say either 'undo' or 'irreversible'"},
      {"PutHat: {irreversible: x, leaves: y}", "PutHat.leaves: says what an undo leaves, and there is none"},
      {"PutHat: {undo: []}", "shop.yaml:PutHat.undo: has no call"},
      {"PutHat: {undo: 3}", "shop.yaml:PutHat.undo[0]: has to be a mapping"},
      {"PutHat: {undo: [{call: shop:DropHat}, {input: {}}]}", "shop.yaml:PutHat.undo[1].call: is missing"},
      {"PutHat: {undo: [{call: shop:DropHat, when: '{% ) %}'}]}", "shop.yaml:PutHat.undo[0].when: "},
      {"PutHat: {undo: [{call: shop:DropHat, gone: [x]}]}",
       "shop.yaml:PutHat.undo[0]: 'gone' is not known here; there are each, when, call, input, done"},
      {"PutHat: {undo: [{call: shop:DropHat, done: x}]}", "shop.yaml:PutHat.undo[0].done: has to be a list of names"},
      {"PutHat: {irreversible: x, resource: '{% [ %}'}", "shop.yaml:PutHat.resource: "},
      {"PutHat: {irreversible: x, answer: '{% [ %}'}", "shop.yaml:PutHat.answer: "},
      {"PutHat: {irreversible: x, intended: 3}", "shop.yaml:PutHat.intended[0]: has to be a mapping"},
      {"PutHat: {irreversible: x, intended: {answer: 3}}", "shop.yaml:PutHat.intended[0].call: is missing"},
      {"PutHat: {irreversible: x, intended: {call: GetHat, answer: 3}}",
       "PutHat.intended[0].call: 'GetHat' names no call"},
      {"PutHat: {irreversible: x, intended: {call: shop:GetHat}}",
       "shop.yaml:PutHat.intended[0]: has to say one of 'answer', 'error' and 'unknown: true'"},
      {"PutHat: {irreversible: x, intended: {call: shop:GetHat, answer: {}, error: NoHat}}",
       "shop.yaml:PutHat.intended[0]: has to say one of 'answer', 'error' and 'unknown: true'"},
      {"PutHat: {irreversible: x, intended: {call: shop:GetHat, error: 3}}",
       "shop.yaml:PutHat.intended[0].error: has to be an error code"},
      {"PutHat: {irreversible: x, intended: [{call: shop:GetHat, error: E}, {call: shop:GetHat, when: '{% ) %}', "
       "error: E}]}",
       "shop.yaml:PutHat.intended[1].when: "},
      {"PutHat: {irreversible: x, intended: {call: shop:GetHat, error: NoHat, unknown: true}}",
       "shop.yaml:PutHat.intended[0]: has to say one of 'answer', 'error' and 'unknown: true'"},
      {"PutHat: {irreversible: x, again: maybe}",
       "shop.yaml:PutHat.again: has to be true, false or a list of error codes"},
      {"PutHat: {irreversible: x, again: []}",
       "shop.yaml:PutHat.again: has to be true, false or a list of error codes"},
      {"PutHat: {irreversible: x, again: [AccessDenied]}",
       "shop.yaml:PutHat.again: names AccessDenied, which says nothing"},
      {"PutHat: {irreversible: x, lost: {Id: h}}", "shop.yaml:PutHat.lost: is over the state read again"},
      {"PutHat: {undo: {call: shop:DropHat}, before: {call: shop:GetHat}, lost: {call: shop:GetHat}}",
       "shop.yaml:PutHat.lost.take: is missing"},
      {"PutHat: {undo: {call: shop:DropHat}, before: {call: shop:GetHat}, lost: '{% ) %}'}", "shop.yaml:PutHat.lost: "},
      {"failures: [PutHat]", "shop.yaml:failures: has to be a mapping of operations"},
      {"failures: {PutHat: all}", "shop.yaml:failures.PutHat: has to be 'none' or a mapping of 'items' and 'of'"},
      {"failures: {PutHat: {of: 1}}", "shop.yaml:failures.PutHat.items: is missing"},
      {"failures: {PutHat: {items: 1, each: 2}}", "shop.yaml:failures.PutHat: 'each' is not known here"},
      {"reads: PeekHat", "shop.yaml:reads: has to be a list of names"},
      {"changes: [1]", "shop.yaml:changes: has to be a list of names"},
  };
  for (const auto& fault : faults) {
    const auto recipes = load(fault.text);
    ASSERT_FALSE(recipes) << fault.text;
    EXPECT_EQ(recipes.error().code, "ValidationException") << fault.text;
    EXPECT_THAT(recipes.error().message, HasSubstr(fault.sentence)) << fault.text;
  }
}

TEST(Recipes, tell_reading_from_changing) {
  const auto recipes = load(R"(
reads: [PeekHat, TryHat]
changes: [GetAndTakeHat]
DescribeAndWearHat: {irreversible: it is worn}
)");
  ASSERT_TRUE(recipes) << describe(recipes.error());
  for (const auto* name : {"GetHat", "ListHats", "DescribeHats", "HeadHat", "BatchGetHats", "LookupHat", "SearchHats",
                           "QueryHats", "ScanHats", "PeekHat", "TryHat", "Get"})
    EXPECT_TRUE(recipes->reads("shop", name)) << name;
  for (const auto* name : {"PutHat", "GetAndTakeHat", "DescribeAndWearHat", "Listen", "Getaway", "Headline", "getHat",
                           "BatchPutHats", "Unknown", ""})
    EXPECT_FALSE(recipes->reads("shop", name)) << name;
  EXPECT_FALSE(recipes->reads("other", "PeekHat"));  // what one service's file says is not said of another's
  EXPECT_EQ(recipes->find("shop", "PutHat"), nullptr);
  ASSERT_NE(recipes->find("shop", "DescribeAndWearHat"), nullptr);
  EXPECT_EQ(recipes->find("shop", "DescribeAndWearHat")->irreversible[0].because, "it is worn");
}

TEST(Recipes, take_one_undo_call_or_a_list_of_them) {
  const auto recipes = load(R"(
PutHat: {undo: {call: shop:DropHat, input: {Id: "{% $input.Id %}"}}}
MoveHat: {undo: [{call: shop:DropHat}, {when: "{% $exists($before) %}", call: shop:PutHat, input: "{% $before %}"}]}
)");
  ASSERT_TRUE(recipes) << describe(recipes.error());
  EXPECT_EQ(recipes->find("shop", "PutHat")->undo.size(), 1U);
  ASSERT_EQ(recipes->find("shop", "MoveHat")->undo.size(), 2U);
  EXPECT_TRUE(recipes->find("shop", "MoveHat")->undo[1].when);
  EXPECT_EQ(recipes->find("shop", "MoveHat")->undo[1].call.operation, "PutHat");
}

// Over everything in catalog/operations: names that the services have, reads that read, undo calls that change.
TEST(CatalogRecipes, name_operations_that_the_services_have) {
  const auto recipes = Recipes::load(catalog::Catalog::embedded());
  ASSERT_TRUE(recipes) << describe(recipes.error());
  auto models = aws::Models::open({});
  ASSERT_TRUE(models) << describe(models.error());
  const auto exists = [&](const std::string& service, const std::string& operation) {
    auto model = (*models)->get(service);
    return model && (*model)->find_operation(operation) != nullptr;
  };
  EXPECT_GE(recipes->all().size(), 7U);
  for (const auto& [name, recipe] : recipes->all()) {
    const auto call = split_call(name).value();
    EXPECT_TRUE(exists(call.first, call.second)) << name;
    EXPECT_FALSE(recipes->reads(call.first, call.second)) << name;
    for (const auto& read : recipe.before) {
      EXPECT_TRUE(exists(read.call.service, read.call.operation)) << name;
      EXPECT_TRUE(recipes->reads(read.call.service, read.call.operation)) << name << ": its 'before' changes something";
    }
    for (const auto& undo : recipe.undo) {
      EXPECT_TRUE(exists(undo.call.service, undo.call.operation)) << name;
      EXPECT_FALSE(recipes->reads(undo.call.service, undo.call.operation)) << name << ": its undo changes nothing";
    }
    EXPECT_FALSE(recipe.undo.empty() && recipe.irreversible.empty()) << name;
    for (const auto* caveats : {&recipe.irreversible, &recipe.leaves})
      for (const auto& caveat : *caveats)
        EXPECT_THAT(caveat.because, testing::EndsWith(".")) << name << ": has to be a sentence";
    for (const auto& intended : recipe.intended) {
      if (intended.operation.ends_with("Describe*")) continue;  // all that describe read
      EXPECT_TRUE(exists(intended.service, intended.operation)) << name;
      EXPECT_TRUE(recipes->reads(intended.service, intended.operation)) << name << ": what it intends is no read";
    }
  }
}

}  // namespace
}  // namespace fixpoint::changes
