// Requests of Modbus TCP to the twin of a real instrument: it answers every one, however wrong.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "hil/peers/modbus_answer.hpp"

namespace {

using namespace cyclerd::hil;

// A device of 64 registers and coils; asking beyond them is an error of the caller.
class Registers final : public RegisterMap {
 public:
  Answer read_bits(Table, std::uint16_t first, std::span<bool> out) override {
    if (first + out.size() > 64) return Answer::illegal_address;
    for (bool& bit : out) bit = true;
    return Answer::ok;
  }
  Answer read_words(Table, std::uint16_t first, std::span<std::uint16_t> out) override {
    if (first + out.size() > words_.size()) return Answer::illegal_address;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = words_[first + i];
    return Answer::ok;
  }
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override {
    return first + values.size() > 64 ? Answer::illegal_address : Answer::ok;
  }
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override {
    if (first + values.size() > words_.size()) return Answer::illegal_address;
    for (std::size_t i = 0; i < values.size(); ++i) words_[first + i] = values[i];
    return Answer::ok;
  }

 private:
  std::array<std::uint16_t, 64> words_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Registers map;
  std::array<std::uint8_t, kMaxAdu> reply{};
  std::span<const std::uint8_t> bytes(data, size);
  for (;;) {
    const Frame frame = next_frame(bytes);
    if (frame.state != Frame::State::complete) return 0;
    if (frame.length == 0 || frame.length > bytes.size()) std::abort();
    if (answer_frame(bytes.first(frame.length), map, reply) > reply.size()) std::abort();
    bytes = bytes.subspan(frame.length);
  }
}
