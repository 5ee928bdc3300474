// Compares the stream with TensorFlow's, as recorded in tests/data/tensorflow_stream.txt.
#include "core/stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/distributions.h"
#include "core/stream_values.h"

namespace flatnoise {
namespace {

struct Record {
  std::string distribution, type;
  int64_t seed0, seed1;
  std::vector<uint64_t> bits;
};

std::vector<Record> Records() {
  std::ifstream file(FLATNOISE_TEST_DATA "/tensorflow_stream.txt");
  std::vector<Record> records;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Record record;
    words >> record.distribution >> record.type >> record.seed0 >> record.seed1 >> std::hex;
    for (uint64_t bits; words >> bits;) record.bits.push_back(bits);
    records.push_back(record);
  }
  return records;
}

template <class Scalar>
double UnitInLastPlace(Scalar value) {
  const Scalar magnitude = std::fmax(std::fabs(value), Scalar{1});
  return static_cast<double>(std::nextafter(magnitude, Scalar{INFINITY}) - magnitude);
}

template <class Scalar>
void ExpectStream(const Record& record) {
  const Stream stream =
      StreamFromSeed(static_cast<uint64_t>(record.seed0), static_cast<uint64_t>(record.seed1));
  for (size_t i = 0; i < record.bits.size(); ++i) {
    using Bits = typename ScalarLanes<Scalar>::Bits;
    const Scalar expected = BitCast<Scalar>(static_cast<Bits>(record.bits[i]));
    if (record.distribution == "uniform") {
      EXPECT_EQ((ValueAt<Uniform, Scalar>(stream, i)), expected);
    } else {
      const Scalar got = ValueAt<Normal, Scalar>(stream, i);
      EXPECT_LE(std::fabs(static_cast<double>(got - expected)), 4 * UnitInLastPlace(expected));
    }
  }
}

void ExpectSame(const Stream& a, const Stream& b) { EXPECT_EQ(std::memcmp(&a, &b, sizeof(a)), 0); }

TEST(Stream, IsTensorFlowsToTheBitForUniformAndWithin4UlpForNormal) {
  const auto records = Records();
  ASSERT_EQ(records.size(), 24u);
  for (const Record& record : records) {
    SCOPED_TRACE(record.distribution + " " + record.type + " " + std::to_string(record.seed0));
    ASSERT_EQ(record.bits.size(), 12u);
    if (record.type == "float32") {
      ExpectStream<float>(record);
    } else {
      ExpectStream<double>(record);
    }
  }
}

TEST(Stream, SeedsOf32And64BitsNameTheSame) {
  const int32_t narrow[] = {11, -7};
  const int64_t wide[] = {11, -7};
  const Stream expected = StreamFromSeed(11, ~uint64_t{6});
  ExpectSame(ReadStream(narrow, SeedType::kInt32Pair), expected);
  ExpectSame(ReadStream(wide, SeedType::kInt64Pair), expected);
}

// The pairs are Keras's: the floored remainders of the key and of the counter divided by 256.
TEST(Stream, OfAStateIsThatOfThePairThatItDraws) {
  struct {
    int64_t state[3];
    uint64_t first, second;
  } cases[] = {
      {{0, 0, 0}, 0, 0},
      {{256, 0, 42}, 42, 1},
      {{767, 0, 42}, 42, 2},
      {{512, 12345, 42}, 42, 2},
      {{0, 0, 2147483645}, 2147483645, 0},
      {{0, 0, 2147483646}, 0, 0},
      {{0, 0, 2147483647}, 1, 0},
      {{0, 0, (int64_t{1} << 40) + 7}, 1031, 0},
      {{0, 0, INT64_MAX}, 7, 0},
      {{0, 0, INT64_MIN}, 2147483638, 0},
      {{0, 0, -1}, 2147483645, 0},
      {{0, 0, -2147483646}, 0, 0},
      {{int64_t{2147483646} * 256 - 1, 0, 5}, 5, 2147483645},
      {{int64_t{2147483646} * 256, 0, 5}, 5, 0},
      {{INT64_MAX, 0, 5}, 5, 33554431},
      {{INT64_MIN, 0, 5}, 5, 2113929214},
      {{-1, -1, 5}, 5, 2147483645},
      {{-257, 0, 5}, 5, 2147483644},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::to_string(c.state[0]) + " " + std::to_string(c.state[2]));
    ExpectSame(ReadStream(c.state, SeedType::kState), StreamFromSeed(c.first, c.second));
  }
}

TEST(Stream, CountsBlocksInTheLowerHalfOfTheCounter) {
  const Stream stream = StreamFromSeed(3, 4);
  const PhiloxCounter counter = BlockCounter(stream, 0x123456789ABCDEF0);
  EXPECT_EQ(counter.word[0], 0x9ABCDEF0u);
  EXPECT_EQ(counter.word[1], 0x12345678u);
  EXPECT_EQ(counter.word[2], stream.high[0]);
  EXPECT_EQ(counter.word[3], stream.high[1]);
}

}  // namespace
}  // namespace flatnoise
