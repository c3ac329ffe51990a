// Slaves on a serial line that do exactly what a test says: a pty, its own framing and its own checksum, none of the
// product's code.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/pty.hpp"

namespace cyclerd::testing_support {

using Bytes = std::vector<std::uint8_t>;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

// CRC-16/MODBUS by polynomial division of the whole message, bit by bit.
inline std::uint16_t crc_of(const Bytes& bytes) {
  std::uint16_t crc = 0xFFFF;
  for (const auto byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((crc ^ (byte >> bit)) & 1) != 0;
      crc = static_cast<std::uint16_t>(crc >> 1);
      if (carry) crc = static_cast<std::uint16_t>(crc ^ 0xA001);
    }
  }
  return crc;
}
inline Bytes framed(Bytes body) {
  const std::uint16_t crc = crc_of(body);
  body.push_back(static_cast<std::uint8_t>(crc & 0xFF));
  body.push_back(static_cast<std::uint8_t>(crc >> 8));
  return body;
}
inline int address_of(const Bytes& request) {
  return request[2] << 8 | request[3];
}
inline int count_of(const Bytes& request) {
  return request[4] << 8 | request[5];
}
// To a read of registers.
inline Bytes rtu_registers(const Bytes& request, const std::vector<std::uint16_t>& values) {
  Bytes body{request[0], request[1], static_cast<std::uint8_t>(2 * values.size())};
  for (const auto v : values) {
    body.push_back(static_cast<std::uint8_t>(v >> 8));
    body.push_back(static_cast<std::uint8_t>(v & 0xFF));
  }
  return framed(body);
}
// Register n holds 1000 + n; coils are off; writes are acknowledged.
inline Bytes plain_reply(const Bytes& request) {
  switch (request[1]) {
    case 1:
    case 2: return framed({request[0], request[1], 1, 0});
    case 3:
    case 4: {
      std::vector<std::uint16_t> values;
      for (int i = 0; i < count_of(request); ++i)
        values.push_back(static_cast<std::uint16_t>(1000 + address_of(request) + i));
      return rtu_registers(request, values);
    }
    default: return framed(Bytes(request.begin(), request.begin() + 6));
  }
}
inline Bytes rtu_exception(const Bytes& request, std::uint8_t code) {
  return framed({request[0], static_cast<std::uint8_t>(request[1] | 0x80), code});
}

class FakeRtuBus {
 public:
  struct Reply {
    milliseconds after;
    Bytes bytes;
  };
  // Called with each whole request, checksum included.
  using Slaves = std::function<std::vector<Reply>(const Bytes& request)>;

  explicit FakeRtuBus(Slaves slaves) : slaves_(std::move(slaves)), thread_([this] { run(); }) {}
  ~FakeRtuBus() {
    stop_ = true;
    thread_.join();
  }
  FakeRtuBus(const FakeRtuBus&) = delete;
  FakeRtuBus& operator=(const FakeRtuBus&) = delete;

  [[nodiscard]] const std::string& path() const { return pty_.path(); }
  // The adapter returns what it is given to send.
  void echo(bool on) { echo_ = on; }

  struct Seen {
    Steady::time_point at;
    Bytes bytes;
  };
  std::vector<Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  // When replies went out.
  std::vector<Steady::time_point> sent() {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

 private:
  void run() {
    Bytes in;
    while (!stop_) {
      auto wait = milliseconds(20);
      const auto now = Steady::now();
      while (!due_.empty() && due_.begin()->first <= now) {
        {
          const std::lock_guard lock(mutex_);
          sent_.push_back(Steady::now());
        }
        pty_.send(due_.begin()->second);
        due_.erase(due_.begin());
      }
      if (!due_.empty())
        wait = std::clamp(std::chrono::duration_cast<milliseconds>(due_.begin()->first - now), milliseconds(0), wait);
      pollfd waiting{pty_.master(), POLLIN, 0};
      if (poll(&waiting, 1, static_cast<int>(wait.count())) <= 0) continue;
      std::uint8_t buffer[300];
      const auto n = read(pty_.master(), buffer, sizeof buffer);
      if (n <= 0) continue;
      if (echo_) pty_.send(std::span(buffer, static_cast<std::size_t>(n)));
      in.insert(in.end(), buffer, buffer + n);
      take_requests(in);
    }
  }

  void take_requests(Bytes& in) {
    while (in.size() >= 8) {
      const std::size_t length = in[1] == 16 || in[1] == 15 ? 9U + in[6] : 8U;
      if (in.size() < length) return;
      const Bytes request(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(length));
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(length));
      if (framed(Bytes(request.begin(), request.end() - 2)) != request) continue;
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back({Steady::now(), request});
      }
      for (auto& reply : slaves_(request)) {
        // A slave does one thing after the other: what is asked while it is late waits.
        auto& free_at = free_at_[request[0]];
        free_at = std::max(free_at, Steady::now()) + reply.after;
        due_.emplace(free_at, std::move(reply.bytes));
      }
    }
  }

  Pty pty_;
  Slaves slaves_;
  std::multimap<Steady::time_point, Bytes> due_;
  std::map<int, Steady::time_point> free_at_;
  std::mutex mutex_;
  std::vector<Seen> seen_;
  std::vector<Steady::time_point> sent_;
  std::atomic<bool> echo_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace cyclerd::testing_support
