#include "core/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace flatnoise {
namespace {

std::vector<std::array<uint32_t, 10>> KnownAnswers() {
  std::ifstream file(FLATNOISE_TEST_DATA "/philox4x32_10.txt");
  std::vector<std::array<uint32_t, 10>> answers;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::array<uint32_t, 10> answer{};
    for (uint32_t& word : answer) words >> std::hex >> word;
    answers.push_back(answer);
  }
  return answers;
}

TEST(Philox, GivesThePublishedAnswers) {
  const auto answers = KnownAnswers();
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& a : answers) {
    const auto words = Philox<ScalarWords>({{a[0], a[1], a[2], a[3]}}, ScheduleKey({{a[4], a[5]}}));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(words.word[i], a[6 + i]);
  }
}

TEST(Philox, GivesThePublishedAnswersFromSharedWords) {
  for (const auto& a : KnownAnswers()) {
    using W = ScalarWords;
    const PhiloxCounter counter = {{a[0], a[1], a[2], a[3]}};
    const PhiloxKeySchedule key = ScheduleKey({{a[4], a[5]}});
    const auto two = PhiloxTwoRounds<W>(a[0], a[1], ShareUpperHalf({a[2], a[3]}, key), key);
    const auto three =
        PhiloxThreeRounds<W>(W::Multiply(a[0], kPhiloxMultiplier0), ShareWords(counter, key), key);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(PhiloxRounds<W>(two, key, 2, kPhiloxRounds).word[i], a[6 + i]);
      EXPECT_EQ(PhiloxRounds<W>(three, key, 3, kPhiloxRounds).word[i], a[6 + i]);
    }
  }
}

struct Carry {
  PhiloxCounter from;
  uint64_t blocks;
  PhiloxCounter to;
};

TEST(Philox, AdvancesByA128BitSum) {
  constexpr uint32_t kOnes = 0xFFFFFFFF;
  const Carry carries[] = {
      {{{0, 0, 0, 0}}, 0, {{0, 0, 0, 0}}},
      {{{0, 0, 7, 9}}, 5, {{5, 0, 7, 9}}},
      {{{kOnes, 0, 7, 9}}, 1, {{0, 1, 7, 9}}},
      {{{kOnes, kOnes, 7, 9}}, 1, {{0, 0, 8, 9}}},
      {{{kOnes, kOnes, kOnes, 9}}, 2, {{1, 0, 0, 10}}},
      {{{kOnes, kOnes, kOnes, kOnes}}, 1, {{0, 0, 0, 0}}},
      {{{2, 0, 0, 0}}, ~uint64_t{0}, {{1, 0, 1, 0}}},
  };
  for (const Carry& carry : carries) {
    const PhiloxCounter sum = Advance(carry.from, carry.blocks);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(sum.word[i], carry.to.word[i]);
  }
}

}  // namespace
}  // namespace flatnoise
