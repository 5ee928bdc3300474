// The stream against TensorFlow's, as recorded in tests/data/tensorflow_stream.txt.
#include "core/stream.h"

#include <gtest/gtest.h>

#include <cmath>
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
