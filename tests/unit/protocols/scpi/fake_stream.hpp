// An instrument in memory that answers lines in virtual time, with delays where a test wants them.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "protocols/transport/byte_stream.hpp"

namespace cyclerd::scpi {

struct FakeInstrument {
  std::function<std::string(const std::string&)> answer;  // with terminator; "": silence
  std::string terminator = "\n";
  std::map<std::size_t, base::Duration> delays;  // by the number of the message, from 0
  std::vector<std::string> heard;
};

class FakeStream final : public transport::ByteStream {
 public:
  FakeStream(FakeInstrument& instrument, bool serial, base::VirtualClock& clock)
      : instrument_(instrument), serial_(serial), clock_(clock) {}

  base::Status open() override {
    open_ = true;
    if (!serial_) coming_.clear();  // what was asked on the old connection dies with it
    return {};
  }
  void close() noexcept override { open_ = false; }
  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  base::Status write_all(std::span<const std::uint8_t> bytes, base::MonoTime) override {
    written_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (auto end = written_.find(instrument_.terminator); end != std::string::npos;
         end = written_.find(instrument_.terminator)) {
      const std::string message = written_.substr(0, end);
      written_.erase(0, end + instrument_.terminator.size());
      const auto delay = instrument_.delays.find(instrument_.heard.size());
      instrument_.heard.push_back(message);
      const std::string reply = instrument_.answer(message);
      const base::Duration after = delay == instrument_.delays.end() ? base::milliseconds(1) : delay->second;
      if (!reply.empty()) coming_.push_back({clock_.now() + after, reply});
    }
    return {};
  }

  [[nodiscard]] base::Result<std::size_t> read_some(std::span<std::uint8_t> into, base::MonoTime deadline) override {
    const auto next = std::min_element(coming_.begin(), coming_.end(), [](auto& a, auto& b) { return a.at < b.at; });
    if (next == coming_.end() || next->at > deadline) {
      clock_.advance_to(deadline);
      return std::size_t{0};
    }
    clock_.advance_to(next->at);
    const std::size_t n = std::min(into.size(), next->bytes.size());
    std::copy_n(next->bytes.begin(), n, into.begin());
    next->bytes.erase(0, n);
    if (next->bytes.empty()) coming_.erase(next);
    return n;
  }

  [[nodiscard]] bool keeps_late_replies() const noexcept override { return serial_; }
  [[nodiscard]] base::Duration byte_time() const noexcept override { return {}; }
  [[nodiscard]] std::string_view name() const noexcept override { return "fake"; }

 private:
  struct Coming {
    base::MonoTime at;
    std::string bytes;
  };
  FakeInstrument& instrument_;
  bool serial_;
  base::VirtualClock& clock_;
  bool open_ = false;
  std::string written_;
  std::deque<Coming> coming_;
};

}  // namespace cyclerd::scpi
