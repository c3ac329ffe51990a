// After the Modbus application protocol specification 1.1b3 and the Modbus messaging on TCP/IP guide 1.0b.
#include "hil/peers/modbus_answer.hpp"

#include <algorithm>

namespace cyclerd::hil {
namespace {

constexpr std::uint8_t kExceptionBit = 0x80;
constexpr std::size_t kMaxReadBits = 2000, kMaxReadWords = 125, kMaxWriteBits = 1968, kMaxWriteWords = 123;

std::uint16_t word_at(std::span<const std::uint8_t> bytes, std::size_t i) {
  return static_cast<std::uint16_t>((bytes[i] << 8U) | bytes[i + 1]);
}
void put_word(std::span<std::uint8_t> bytes, std::size_t i, std::uint16_t value) {
  bytes[i] = static_cast<std::uint8_t>(value >> 8U);
  bytes[i + 1] = static_cast<std::uint8_t>(value & 0xFFU);
}

// One request in work: where the reply is built and how long it has become.
struct Exchange {
  std::span<const std::uint8_t> request;
  RegisterMap& map;
  std::span<std::uint8_t, kMaxPdu> reply;
  std::size_t length = 0;

  [[nodiscard]] std::uint16_t first() const { return word_at(request, 1); }
  [[nodiscard]] std::uint16_t second() const { return word_at(request, 3); }
  void echo(std::size_t bytes) {
    std::copy_n(request.begin(), bytes, reply.begin());
    length = bytes;
  }
};

bool past_the_end(std::uint16_t first, std::size_t count) {
  return first + count > 0x10000U;
}

Answer read_bits(Exchange& x, Table table) {
  if (x.request.size() != 5) return Answer::illegal_value;
  const std::size_t count = x.second();
  if (count == 0 || count > kMaxReadBits) return Answer::illegal_value;
  if (past_the_end(x.first(), count)) return Answer::illegal_address;
  std::array<bool, kMaxReadBits> bits{};
  const Answer answer = x.map.read_bits(table, x.first(), std::span(bits).first(count));
  if (answer != Answer::ok) return answer;
  const std::size_t bytes = (count + 7) / 8;
  x.reply[1] = static_cast<std::uint8_t>(bytes);
  std::fill_n(x.reply.begin() + 2, bytes, std::uint8_t{0});
  for (std::size_t i = 0; i < count; ++i) {
    if (bits[i]) x.reply[2 + i / 8] = static_cast<std::uint8_t>(x.reply[2 + i / 8] | (1U << (i % 8)));
  }
  x.length = 2 + bytes;
  return Answer::ok;
}

Answer read_words(Exchange& x, Table table) {
  if (x.request.size() != 5) return Answer::illegal_value;
  const std::size_t count = x.second();
  if (count == 0 || count > kMaxReadWords) return Answer::illegal_value;
  if (past_the_end(x.first(), count)) return Answer::illegal_address;
  std::array<std::uint16_t, kMaxReadWords> words{};
  const Answer answer = x.map.read_words(table, x.first(), std::span(words).first(count));
  if (answer != Answer::ok) return answer;
  x.reply[1] = static_cast<std::uint8_t>(2 * count);
  for (std::size_t i = 0; i < count; ++i) put_word(x.reply, 2 + 2 * i, words[i]);
  x.length = 2 + 2 * count;
  return Answer::ok;
}

Answer write_coil(Exchange& x) {
  if (x.request.size() != 5) return Answer::illegal_value;
  if (x.second() != 0x0000 && x.second() != 0xFF00) return Answer::illegal_value;
  const bool on[] = {x.second() == 0xFF00};
  const Answer answer = x.map.write_bits(x.first(), on);
  if (answer == Answer::ok) x.echo(5);
  return answer;
}

Answer write_word(Exchange& x) {
  if (x.request.size() != 5) return Answer::illegal_value;
  const std::uint16_t value[] = {x.second()};
  const Answer answer = x.map.write_words(x.first(), value);
  if (answer == Answer::ok) x.echo(5);
  return answer;
}

Answer write_coils(Exchange& x) {
  if (x.request.size() < 6) return Answer::illegal_value;
  const std::size_t count = x.second();
  const std::size_t bytes = (count + 7) / 8;
  if (count == 0 || count > kMaxWriteBits || x.request[5] != bytes || x.request.size() != 6 + bytes)
    return Answer::illegal_value;
  if (past_the_end(x.first(), count)) return Answer::illegal_address;
  std::array<bool, kMaxWriteBits> bits{};
  for (std::size_t i = 0; i < count; ++i) bits[i] = ((x.request[6 + i / 8] >> (i % 8)) & 1U) != 0;
  const Answer answer = x.map.write_bits(x.first(), std::span<const bool>(bits).first(count));
  if (answer == Answer::ok) x.echo(5);
  return answer;
}

Answer write_words(Exchange& x) {
  if (x.request.size() < 6) return Answer::illegal_value;
  const std::size_t count = x.second();
  if (count == 0 || count > kMaxWriteWords || x.request[5] != 2 * count || x.request.size() != 6 + 2 * count)
    return Answer::illegal_value;
  if (past_the_end(x.first(), count)) return Answer::illegal_address;
  std::array<std::uint16_t, kMaxWriteWords> words{};
  for (std::size_t i = 0; i < count; ++i) words[i] = word_at(x.request, 6 + 2 * i);
  const Answer answer = x.map.write_words(x.first(), std::span<const std::uint16_t>(words).first(count));
  if (answer == Answer::ok) x.echo(5);
  return answer;
}

Answer answer_function(Exchange& x) {
  switch (x.request[0]) {
    case 1: return read_bits(x, Table::coil);
    case 2: return read_bits(x, Table::discrete);
    case 3: return read_words(x, Table::holding);
    case 4: return read_words(x, Table::input);
    case 5: return write_coil(x);
    case 6: return write_word(x);
    case 15: return write_coils(x);
    case 16: return write_words(x);
    default: return Answer::illegal_function;
  }
}

}  // namespace

std::size_t answer_pdu(std::span<const std::uint8_t> request, RegisterMap& map,
                       std::span<std::uint8_t, kMaxPdu> reply) {
  Exchange x{request, map, reply};
  reply[0] = request.empty() ? 0 : request[0];
  const Answer answer = request.empty() ? Answer::illegal_function : answer_function(x);
  if (answer == Answer::ok) return x.length;
  if (answer == Answer::silence) return 0;
  reply[0] = static_cast<std::uint8_t>(reply[0] | kExceptionBit);
  reply[1] = static_cast<std::uint8_t>(answer);
  return 2;
}

Frame next_frame(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < 6) return {};
  const std::uint16_t protocol = word_at(bytes, 2);
  const std::size_t length = word_at(bytes, 4);  // unit and PDU
  // Anything else is not Modbus, and where the next frame begins is unknown.
  if (protocol != 0 || length < 2 || length > kMaxPdu + 1) return {Frame::State::broken, 0};
  if (bytes.size() < 6 + length) return {};
  return {Frame::State::complete, 6 + length};
}

std::size_t answer_frame(std::span<const std::uint8_t> frame, RegisterMap& map,
                         std::span<std::uint8_t, kMaxAdu> reply) {
  const std::size_t pdu = answer_pdu(frame.subspan(kMbapHeader), map, reply.subspan<kMbapHeader, kMaxPdu>());
  if (pdu == 0) return 0;
  put_word(reply, 0, word_at(frame, 0));
  put_word(reply, 2, 0);
  put_word(reply, 4, static_cast<std::uint16_t>(pdu + 1));
  reply[6] = frame[6];
  return kMbapHeader + pdu;
}

}  // namespace cyclerd::hil
