// Lines of text to values: any bytes are answered; what is read as a number is written so that it reads alike.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocols/scpi/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cyclerd;
  if (size < 4) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 4), size - 4);
  device::TextItem item;
  item.field = data[0] % 8 - 1;
  item.separator = data[1] % 2 != 0 ? "," : " ";
  item.character = data[1] % 16 == 7 ? data[2] % 4 : -1;
  item.radix = data[1] % 32 == 9 ? 16 : 10;
  if (data[2] % 2 != 0) item.suffix = "V";
  if (data[2] % 4 == 3) item.words = {{"ON", 1.0}, {"OFF", 0.0}};
  const scpi::Framing line = scpi::frame(bytes, data[3] % 2 != 0 ? "\n" : "\r\n");
  if (line.state == scpi::Framing::State::complete) {
    if (line.used > bytes.size() || line.begin + line.size > line.used) std::abort();
  }
  (void)scpi::parse_error(bytes);
  (void)scpi::parse_text(bytes, item);
  for (const auto shape : {scpi::Shape::number, scpi::Shape::integer, scpi::Shape::word, scpi::Shape::boolean}) {
    const auto value = scpi::parse_value(bytes, item, shape);
    if (!value || std::isnan(*value)) continue;
    if (std::isinf(*value)) std::abort();
    std::array<char, 64> text{};
    device::NumberFormat exact{device::NumberFormat::Notation::exponent, false, 0, 17};
    const auto n = scpi::format_number(*value, exact, text);
    if (!n) std::abort();
    const auto back = scpi::parse_number({text.data(), *n});
    if (!back || *back != *value) std::abort();
  }
  return 0;
}
