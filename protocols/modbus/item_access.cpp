#include "protocols/modbus/item_access.hpp"

#include <array>
#include <cmath>

#include "protocols/device/words.hpp"
#include "protocols/modbus/codec.hpp"

namespace cyclerd::modbus {

using namespace device;

using base::ErrorCode;
using base::FixedText;
using base::Result;
using base::Status;

namespace {

WordOrder order_named(std::string_view name) {
  if (name == "BADC") return WordOrder::BADC;
  if (name == "CDAB") return WordOrder::CDAB;
  if (name == "DCBA") return WordOrder::DCBA;
  return WordOrder::ABCD;
}

}  // namespace

base::Error with_item(base::Error error, std::string_view item) {
  FixedText<200> detail{item};
  detail.append(": ").append(error.detail.view());
  error.detail = detail;
  return error;
}

ItemAccess::ItemAccess(const Description& description, const SiteParameters& site, TcpClient& client)
    : d_(description), site_(site), client_(client), nominals_(description.items.size(), base::kAbsent) {
  for (const auto& item : d_.items) {
    WordOrder order = item.words;
    if (item.words_parameter != kNone) {
      const auto& p = d_.parameters[static_cast<std::size_t>(item.words_parameter)];
      order = order_named(p.words[static_cast<std::size_t>(parameter(item.words_parameter))]);
    }
    words_.push_back(order);
  }
}

double ItemAccess::decode(int index, std::span<const std::uint16_t> registers) const noexcept {
  return modbus::decode(registers, d_.item(index).type, words_[static_cast<std::size_t>(index)]);
}

Result<double> ItemAccess::read_raw(int index) {
  const Item& item = d_.item(index);
  std::array<std::uint16_t, 2> registers{};
  if (item.is_bits()) {
    std::uint8_t value = 0;
    const Status done = client_.read_bits(item.function, item.address, {&value, 1});
    if (!done) return std::unexpected(with_item(done.error(), item.name));
    return value != 0 ? 1.0 : 0.0;
  }
  if (item.type == ValueType::ascii) return base::failure(ErrorCode::invalid, client_.name(), "text has no number");
  const Status done = client_.read_registers(item.function, item.address, std::span(registers).first(item.count));
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return decode(index, registers);
}

Result<FixedText<48>> ItemAccess::read_text(int index) {
  const Item& item = d_.item(index);
  if (item.type != ValueType::ascii) {
    const auto raw = read_raw(index);
    if (!raw) return std::unexpected(raw.error());
    FixedText<48> text;
    text.append(*raw, 10);
    return text;
  }
  std::array<std::uint16_t, kMaxReadRegisters> registers{};
  const auto used = std::span(registers).first(item.count);
  const Status done = client_.read_registers(item.function, item.address, used);
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return modbus::decode_text(used, words_[static_cast<std::size_t>(index)]);
}

Status ItemAccess::write_raw(int index, double raw) {
  const Item& item = d_.item(index);
  std::array<std::uint16_t, 2> registers{};
  Status done;
  if (item.is_bits()) {
    done = client_.write_coil(item.address, raw != 0.0);
  } else if (!modbus::encode(raw, item.type, words_[static_cast<std::size_t>(index)], registers)) {
    done = base::failure(ErrorCode::invalid, client_.name(), "the register cannot hold this value");
  } else if (item.count == 1 && !item.write_multiple) {
    done = client_.write_register(item.address, registers[0]);
  } else {
    done = client_.write_registers(item.address, std::span(registers).first(item.count));
  }
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return {};
}

Status ItemAccess::load_nominals() {
  for (const auto& item : d_.items) {
    if (item.nominal == kNone) continue;
    double& known = nominals_[static_cast<std::size_t>(item.nominal)];
    if (!std::isnan(known)) continue;
    TRY_ASSIGN(const double raw, read_raw(item.nominal));
    const double value = to_SI(item.nominal, raw);
    if (!std::isfinite(value) || value < 1e-3 || value > 1e7) {
      FixedText<200> detail{d_.item(item.nominal).name};
      detail.append(" reads ").append(value).append(
          "; a nominal value lies between 0.001 and 1e7. Is the word order right?");
      return base::failure(ErrorCode::mismatch, client_.name(), detail.view());
    }
    known = value;
  }
  return {};
}

double ItemAccess::factor(int index) const noexcept {
  const Item& item = d_.item(index);
  const double share =
      item.nominal == kNone ? 1.0 : nominals_[static_cast<std::size_t>(item.nominal)] / item.full_scale;
  // A nominal value is in SI already.
  return item.nominal == kNone ? item.scale * item.unit_factor : item.scale * share;
}

double ItemAccess::to_SI(int index, double raw) const noexcept {
  return raw * factor(index);
}

Result<double> ItemAccess::to_raw(int index, double value_SI) const {
  const Item& item = d_.item(index);
  // Zero is zero in every scale: a make-safe needs no nominal values.
  const double exact = value_SI == 0.0 ? 0.0 : value_SI / factor(index);
  const double raw = item.type == ValueType::f32 ? exact : std::round(exact);
  if (std::isfinite(raw) && raw >= item.raw_min && raw <= item.raw_max) return raw;
  FixedText<200> detail{item.name};
  detail.append(": ").append(value_SI).append(" is outside what the register takes, ");
  detail.append(to_SI(index, item.raw_min)).append(" to ").append(to_SI(index, item.raw_max));
  return base::failure(ErrorCode::invalid, client_.name(), detail.view());
}

double ItemAccess::as_held(int index, double raw) const noexcept {
  return d_.item(index).type == ValueType::f32 ? static_cast<double>(static_cast<float>(raw)) : raw;
}

int ItemAccess::readback_of(int index) const noexcept {
  const Item& item = d_.item(index);
  return item.readback != kNone ? item.readback : index;
}

bool ItemAccess::agrees(int index, double raw, double held, double tolerance_steps) const noexcept {
  const Item& item = d_.item(index);
  if (std::isnan(held)) return false;
  if (item.type == ValueType::boolean) return (raw != 0.0) == (held != 0.0);
  const int other = readback_of(index);
  double difference = std::abs(held - as_held(index, raw));
  double step = 1.0;
  if (other != index && factor(other) != factor(index)) {
    difference = std::abs(to_SI(other, held) - to_SI(index, raw));
    step = std::max(std::abs(factor(other)), std::abs(factor(index)));
  } else if (item.resolution > 0) {
    step = item.resolution / std::abs(factor(index));
  } else if (item.type == ValueType::f32) {
    return difference <= 1e-6 * std::abs(raw);
  }
  return difference <= tolerance_steps * step * (1 + 1e-9);
}

}  // namespace cyclerd::modbus
