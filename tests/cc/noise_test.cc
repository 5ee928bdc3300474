// The lists of types and noises, the dispatch over them, and the broadcasting of parameters.
#include "core/noise.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cases.h"
#include "core/noise_info.h"
#include "core/parameter.h"

namespace flatnoise {
namespace {

template <class List>
void ExpectNamesAreKeys() {
  const auto names = Names<List>();
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
  for (int i = 0; i < List::kSize; ++i) {
    const auto found = Find<List>(NameOf(Choice<List>{i}));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->index, i);
  }
  EXPECT_FALSE(Find<List>("no such name").has_value());
}

TEST(Lists, AreFoundByNamesThatDiffer) {
  ExpectNamesAreKeys<ElementTypes>();
  ExpectNamesAreKeys<Distributions>();
  ExpectNamesAreKeys<Combinations>();
}

TEST(Dispatch, VisitsTheTypesThatWereChosen) {
  for (const ElementType type : AllTypes()) {
    for (const Noise& noise : AllNoises()) {
      const std::string visited = VisitNoise(type, noise, [](auto kind) {
        using Kind = decltype(kind);
        return NameOf(kElementType<typename Kind::Element>,
                      kNoise<typename Kind::Distribution, typename Kind::Combination>);
      });
      EXPECT_EQ(visited, NameOf(type, noise));
    }
  }
}

TEST(DispatchDeathTest, AnUnknownChoiceIsNobodysCase) {
  const auto visit = [](auto) {};
  EXPECT_DEATH(Visit(Choice<Distributions>{Distributions::kSize}, visit), "");
  EXPECT_DEATH(Visit(Choice<Combinations>{-1}, visit), "");
}

TEST(Labels, NameTheParameterAsUsersDo) {
  const ParameterInfo scale = {"scale", ParameterMeaning::kScale, ParameterValues::kFinite};
  EXPECT_EQ(LabelOf(kChoice<Distributions, Normal>, scale), "stddev (scale)");
  EXPECT_EQ(LabelOf(kChoice<Distributions, Uniform>, scale), "maxval - minval (scale)");
}

struct BroadcastCase {
  std::vector<int64_t> parameter, tensor;
  BroadcastStatus status;
  BroadcastPattern pattern;
};

TEST(Broadcast, FollowsTheRuleOfNumPy) {
  constexpr auto kOk = BroadcastStatus::kOk;
  constexpr auto kDoesNotFit = BroadcastStatus::kDoesNotFit;
  constexpr auto kNotContiguous = BroadcastStatus::kNotContiguous;
  const std::vector<BroadcastCase> cases = {
      {{}, {2, 3}, kOk, {1, 1}},
      {{1}, {2, 3}, kOk, {1, 1}},
      {{1, 1}, {2, 3}, kOk, {1, 1}},
      {{3}, {2, 3}, kOk, {3, 1}},
      {{1, 3}, {2, 3}, kOk, {3, 1}},
      {{2, 1}, {2, 3}, kOk, {2, 3}},
      {{2, 3}, {2, 3}, kOk, {6, 1}},
      {{5}, {2, 4, 5}, kOk, {5, 1}},
      {{4, 5}, {2, 4, 5}, kOk, {20, 1}},
      {{4, 1}, {2, 4, 5}, kOk, {4, 5}},
      {{2, 1, 1}, {2, 4, 5}, kOk, {2, 20}},
      {{2, 4, 1}, {2, 4, 5}, kOk, {8, 5}},
      // Dimensions of size 1 are ignored.
      {{2, 1, 5}, {2, 1, 5}, kOk, {10, 1}},
      {{4, 1, 1}, {2, 4, 1, 5}, kOk, {4, 5}},
      {{2, 1, 5}, {2, 4, 5}, kNotContiguous, {}},
      {{4, 1, 6}, {2, 4, 5, 6}, kNotContiguous, {}},
      {{2}, {2, 3}, kDoesNotFit, {}},
      {{3, 1}, {2, 3}, kDoesNotFit, {}},
      {{1, 2, 3}, {2, 3}, kDoesNotFit, {}},
      {{3}, {2, 1}, kDoesNotFit, {}},
      // Empty tensors.
      {{0}, {2, 0}, kOk, {0, 1}},
      {{3}, {0, 3}, kOk, {3, 1}},
      {{1}, {0, 3}, kOk, {1, 1}},
      {{3}, {2, 0}, kDoesNotFit, {}},
      {{0, 1, 1}, {0, INT64_MAX, INT64_MAX}, kOk, {0, 1}},
  };
  for (const BroadcastCase& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.parameter) + " over " + testing::PrintToString(c.tensor));
    BroadcastPattern pattern;
    const auto status = Broadcast({c.parameter.data(), static_cast<int>(c.parameter.size())},
                                  {c.tensor.data(), static_cast<int>(c.tensor.size())}, &pattern);
    EXPECT_EQ(status, c.status);
    if (c.status != kOk) continue;
    EXPECT_EQ(pattern.count, c.pattern.count);
    EXPECT_EQ(pattern.repeat, c.pattern.repeat);
  }
}

}  // namespace
}  // namespace flatnoise
