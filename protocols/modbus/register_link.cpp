#include "protocols/modbus/register_link.hpp"

#include <array>
#include <cmath>

#include "protocols/device/item_scale.hpp"
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

RegisterLink::RegisterLink(std::shared_ptr<const Description> description, const SiteParameters& site,
                           std::unique_ptr<Client> client)
    : description_(at_site(std::move(description), site)),
      d_(*description_),
      client_(std::move(client)),
      plan_(plan_scan(d_)),
      scan_(plan_.words) {
  for (const auto& item : d_.items) {
    WordOrder order = item.words;
    if (item.words_parameter != kNone) {
      const auto& p = d_.parameters[static_cast<std::size_t>(item.words_parameter)];
      order =
          order_named(p.words[static_cast<std::size_t>(site.values[static_cast<std::size_t>(item.words_parameter)])]);
    }
    orders_.push_back(order);
  }
}

double RegisterLink::decode(int index, std::span<const std::uint16_t> registers) const noexcept {
  return modbus::decode(registers, d_.item(index).type, orders_[static_cast<std::size_t>(index)]);
}

Result<double> RegisterLink::read_raw(int index) {
  const Item& item = d_.item(index);
  std::array<std::uint16_t, 2> registers{};
  if (item.is_bits()) {
    std::uint8_t value = 0;
    const Status done = client_->read_bits(item.function, item.address, {&value, 1});
    if (!done) return std::unexpected(with_item(done.error(), item.name));
    return value != 0 ? 1.0 : 0.0;
  }
  if (item.type == ValueType::ascii) return base::failure(ErrorCode::invalid, client_->name(), "text has no number");
  const Status done = client_->read_registers(item.function, item.address, std::span(registers).first(item.count));
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return decode(index, registers);
}

Result<FixedText<48>> RegisterLink::read_text(int index) {
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
  const Status done = client_->read_registers(item.function, item.address, used);
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return modbus::decode_text(used, orders_[static_cast<std::size_t>(index)]);
}

Status RegisterLink::write_raw(int index, double raw) {
  const Item& item = d_.item(index);
  std::array<std::uint16_t, 2> registers{};
  Status done;
  if (item.is_bits()) {
    done = client_->write_coil(item.address, raw != 0.0);
  } else if (!modbus::encode(raw, item.type, orders_[static_cast<std::size_t>(index)], registers)) {
    done = base::failure(ErrorCode::invalid, client_->name(), "the register cannot hold this value");
  } else if (item.count == 1 && !item.write_multiple) {
    done = client_->write_register(item.address, registers[0]);
  } else {
    done = client_->write_registers(item.address, std::span(registers).first(item.count));
  }
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return {};
}

Status RegisterLink::send(int) {
  return base::failure(ErrorCode::unsupported, client_->name(), "Modbus has no commands without a value");
}

Status RegisterLink::scan(base::MonoTime& sent, base::MonoTime& received) {
  for (std::size_t i = 0; i < plan_.blocks.size(); ++i) {
    const ScanBlock& block = plan_.blocks[i];
    const auto words = std::span(scan_).subspan(block.offset, block.count);
    if (block.function == Function::coil || block.function == Function::discrete) {
      const auto bits = std::span(bits_).first(block.count);
      TRY(client_->read_bits(block.function, block.address, bits));
      for (std::size_t k = 0; k < bits.size(); ++k) words[k] = bits[k];
    } else {
      TRY(client_->read_registers(block.function, block.address, words));
    }
    if (i == plan_.main_block) {
      sent = client_->sent();
      received = client_->received();
    }
  }
  return {};
}

double RegisterLink::scanned(int item) const noexcept {
  const auto at = static_cast<std::size_t>(plan_.offsets[static_cast<std::size_t>(item)]);
  return decode(item, std::span(scan_).subspan(at, d_.item(item).count));
}

}  // namespace cyclerd::modbus
