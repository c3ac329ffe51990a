#include "daemon/record/crc32c.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace cyclerd::record {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// RFC 3720, appendix B.4, and the catalogue's check value.
TEST(Crc32c, KnownVectors) {
  const std::vector<std::byte> zeros(32);
  const std::vector<std::byte> ones(32, std::byte{0xFF});
  std::vector<std::byte> rising(32);
  for (std::size_t i = 0; i < 32; ++i) rising[i] = static_cast<std::byte>(i);
  const std::vector<std::byte> falling(rising.rbegin(), rising.rend());
  for (auto* f : {&crc32c, &crc32c_by_table}) {
    EXPECT_EQ(f(bytes("123456789"), 0), 0xE3069283U);
    EXPECT_EQ(f(zeros, 0), 0x8A9136AAU);
    EXPECT_EQ(f(ones, 0), 0x62A8AB43U);
    EXPECT_EQ(f(rising, 0), 0x46DD794EU);
    EXPECT_EQ(f(falling, 0), 0x113FDB5CU);
    EXPECT_EQ(f({}, 0), 0U);
  }
}

TEST(Crc32c, InPiecesAndByTableEqualTheWhole) {
  std::mt19937 random(3);
  std::vector<std::byte> data(1000);
  for (auto& b : data) b = static_cast<std::byte>(random());
  for (std::size_t cut = 0; cut <= data.size(); cut += 7) {
    const auto all = std::span<const std::byte>(data);
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
    EXPECT_EQ(crc32c_by_table(all.subspan(cut)), crc32c(all.subspan(cut)));
  }
}

}  // namespace
}  // namespace cyclerd::record
