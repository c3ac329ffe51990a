// What stands between two silences on a serial line: whatever it is, a slave answers whole frames only, and each of its
// answers is a whole frame for the same unit.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "hil/peers/modbus_answer.hpp"
#include "hil/peers/rtu_frame.hpp"
#include "hil/peers/word_image.hpp"

namespace {

using namespace cyclerd::hil;

class Registers final : public RegisterMap {
 public:
  Registers() { image_.add_block(0, 64); }
  Answer read_bits(Table, std::uint16_t first, std::span<bool> out) override {
    if (first + out.size() > 64) return Answer::illegal_address;
    for (bool& bit : out) bit = true;
    return Answer::ok;
  }
  Answer read_words(Table, std::uint16_t first, std::span<std::uint16_t> out) override {
    return image_.read(first, out);
  }
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override {
    return first + values.size() > 64 ? Answer::illegal_address : Answer::ok;
  }
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override {
    if (!image_.has(first, values.size())) return Answer::illegal_address;
    for (std::size_t i = 0; i < values.size(); ++i) image_.set_word(static_cast<std::uint16_t>(first + i), values[i]);
    return Answer::ok;
  }

 private:
  WordImage image_;
};

void answer(std::span<const std::uint8_t> frame, Registers& map) {
  const auto request = open_rtu_frame(frame);
  if (!request) return;
  std::array<std::uint8_t, kMaxRtuFrame> reply{};
  const std::size_t pdu = answer_pdu(request->pdu, map, std::span(reply).subspan<1, kMaxPdu>());
  const std::size_t length = close_rtu_frame(request->unit, pdu, reply);
  const auto back = open_rtu_frame(std::span(reply).first(length));
  if (!back || back->unit != request->unit || back->pdu.size() != pdu) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Registers map;
  const std::span<const std::uint8_t> bytes(data, size);
  answer(bytes, map);  // as it is: hardly ever a frame
  if (size < 2 || size > kMaxRtuFrame - 2) return 0;
  // With a good checksum, so that what is behind it is reached.
  std::vector<std::uint8_t> frame(data, data + size);
  const std::uint16_t crc = rtu_checksum(frame);
  frame.push_back(static_cast<std::uint8_t>(crc & 0xFFU));
  frame.push_back(static_cast<std::uint8_t>(crc >> 8U));
  if (!open_rtu_frame(frame)) std::abort();
  answer(frame, map);
  frame[size / 2] = static_cast<std::uint8_t>(frame[size / 2] ^ 0x10U);
  if (open_rtu_frame(frame)) std::abort();  // one wrong bit is always found
  return 0;
}
