// An instrument as plain register tables behind raw sockets, with hooks for what a real one does by itself and for
// faults.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "tests/unit/protocols/modbus/fake_server.hpp"

namespace cyclerd::testing_support {

struct Write {
  int function;
  int address;
  std::vector<std::uint16_t> values;
  bool operator==(const Write&) const = default;
};
inline void PrintTo(const Write& w, std::ostream* out) {
  *out << "{" << w.function << ", " << w.address << ",";
  for (const auto v : w.values) *out << " " << v;
  *out << "}";
}

class FakeInstrument {
 public:
  FakeInstrument() : server_([this](FakeServer& s) { serve(s); }) {}

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }

  // Everything below may be called at any time: one lock guards the instrument.
  void hold(int address, std::vector<std::uint16_t> values) {
    const std::lock_guard lock(mutex_);
    for (const auto v : values) holding_[address++] = v;
  }
  void input(int address, std::vector<std::uint16_t> values) {
    const std::lock_guard lock(mutex_);
    for (const auto v : values) input_[address++] = v;
  }
  void hold_text(int address, const std::string& text, int characters) { hold(address, words(text, characters)); }
  void input_text(int address, const std::string& text, int characters) { input(address, words(text, characters)); }
  static std::vector<std::uint16_t> f32(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    return {static_cast<std::uint16_t>(bits >> 16), static_cast<std::uint16_t>(bits & 0xFFFF)};
  }
  static std::vector<std::uint16_t> f32_low_first(float value) {
    const auto v = f32(value);
    return {v[1], v[0]};
  }
  void coil(int address, bool on) {
    const std::lock_guard lock(mutex_);
    coil_[address] = on;
  }
  bool coil(int address) {
    const std::lock_guard lock(mutex_);
    return coil_[address];
  }
  int holding(int address) {
    const std::lock_guard lock(mutex_);
    return holding_[address];
  }
  std::vector<Write> take_writes() {
    const std::lock_guard lock(mutex_);
    return std::exchange(writes_, {});
  }
  int take_requests() { return requests_.exchange(0); }
  int connections() const { return connections_; }
  // Runs under the lock after each write.
  void on_write(std::function<void(FakeInstrument&)> hook) {
    const std::lock_guard lock(mutex_);
    on_write_ = std::move(hook);
  }
  // The next n requests get no answer.
  void be_silent(int n) { silent_ = n; }
  void refuse_coil_writes(bool refuse) { refuse_ = refuse; }

  // For hooks, which run under the lock.
  std::map<int, std::uint16_t> holding_;
  std::map<int, std::uint16_t> input_;
  std::map<int, bool> coil_;

 private:
  static std::vector<std::uint16_t> words(const std::string& text, int characters) {
    std::vector<std::uint16_t> out;
    auto at = [&text](int i) {
      return i < static_cast<int>(text.size()) ? static_cast<unsigned char>(text[static_cast<std::size_t>(i)]) : 0;
    };
    for (int i = 0; i < characters; i += 2) out.push_back(static_cast<std::uint16_t>(at(i) << 8 | at(i + 1)));
    return out;
  }

  void serve(FakeServer& server) {
    for (int fd = server.accept(); fd >= 0; fd = server.accept()) {
      ++connections_;
      Peer peer(fd);
      for (Bytes r = peer.request(); !r.empty(); r = peer.request()) {
        ++requests_;
        if (silent_ > 0) {
          --silent_;
          continue;
        }
        peer.send(answer(r));
      }
    }
  }

  Bytes answer(const Bytes& r) {
    const std::lock_guard lock(mutex_);
    const int address = r[8] << 8 | r[9];
    const int value = r[10] << 8 | r[11];
    switch (r[7]) {
      case 1: {
        Bytes pdu{1, static_cast<std::uint8_t>((value + 7) / 8)};
        pdu.resize(2 + static_cast<std::size_t>((value + 7) / 8));
        for (int i = 0; i < value; ++i) {
          if (!coil_.contains(address + i)) return exception_reply(r, 2);
          pdu[static_cast<std::size_t>(2 + i / 8)] = static_cast<std::uint8_t>(
              pdu[static_cast<std::size_t>(2 + i / 8)] | (coil_[address + i] ? 1 << i % 8 : 0));
        }
        return reply_to(r, pdu);
      }
      case 3:
      case 4: {
        auto& table = r[7] == 3 ? holding_ : input_;
        std::vector<std::uint16_t> values;
        for (int i = 0; i < value; ++i) {
          if (!table.contains(address + i)) return exception_reply(r, 2);
          values.push_back(table[address + i]);
        }
        return registers_reply(r, values);
      }
      case 5:
        writes_.push_back({5, address, {static_cast<std::uint16_t>(value)}});
        if (refuse_) return exception_reply(r, 4);
        coil_[address] = value != 0;
        break;
      case 6:
        writes_.push_back({6, address, {static_cast<std::uint16_t>(value)}});
        holding_[address] = static_cast<std::uint16_t>(value);
        break;
      case 16: {
        Write w{16, address, {}};
        for (std::size_t i = 0; i < static_cast<std::size_t>(value); ++i)
          w.values.push_back(static_cast<std::uint16_t>(r[13 + 2 * i] << 8 | r[14 + 2 * i]));
        for (std::size_t i = 0; i < w.values.size(); ++i) holding_[address + static_cast<int>(i)] = w.values[i];
        writes_.push_back(w);
        break;
      }
      default: return exception_reply(r, 1);
    }
    if (on_write_) on_write_(*this);
    return reply_to(r, Bytes(r.begin() + 7, r.begin() + 12));
  }

  std::mutex mutex_;
  std::vector<Write> writes_;
  std::function<void(FakeInstrument&)> on_write_;
  std::atomic<int> requests_{0};
  std::atomic<int> connections_{0};
  std::atomic<int> silent_{0};
  std::atomic<bool> refuse_{false};
  FakeServer server_;  // last: its thread uses the rest
};

// The registers of an EA PSB 9080-60 (80 V, 60 A, 1500 W) that its description uses; the state word follows the
// switches.
inline void make_ea(FakeInstrument& f) {
  f.hold_text(1, "PSB 9080-60", 40);
  f.hold_text(21, "EA Elektro-Automatik", 40);
  f.hold(121, FakeInstrument::f32(80.0F));
  f.hold(123, FakeInstrument::f32(60.0F));
  f.hold(125, FakeInstrument::f32(1500.0F));
  f.hold_text(151, "1234567890", 40);
  f.hold_text(191, "V3.01", 40);
  f.hold(408, {0xFF00});
  f.hold(498, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  for (const int address : {9000, 9002, 9008}) f.hold(address, {53477});
  for (const int address : {402, 405, 408, 409}) f.coil(address, false);
  f.coil(405, true);  // somebody left it on
  f.on_write([](FakeInstrument& i) {
    i.holding_[506] =
        static_cast<std::uint16_t>((i.coil_[405] ? 1U << 7 | 2U << 9 : 0U) | (i.coil_[402] ? 1U << 11 : 0U));
    i.holding_[408] = i.coil_[408] ? 0xFF00 : 0;
  });
}

}  // namespace cyclerd::testing_support
