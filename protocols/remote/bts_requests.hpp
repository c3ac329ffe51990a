// What is asked of a BTS server, as text without the terminator. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocols/remote/remote_cycler.hpp"

namespace cyclerd::remote {

// A channel with all that requests name it by.
struct BtsChannel {
  ChannelId id;
  std::int32_t type = 0;
  std::string ip;  // of the middle computer, as the server tells it
};

namespace bts {

inline constexpr std::int64_t kMaxPoints = 1000;  // in one download

[[nodiscard]] std::string connect(std::string_view user, std::string_view password);
[[nodiscard]] std::string device_info();
// `verb`: getchlstatus, stop, clearflag.
[[nodiscard]] std::string about(std::string_view verb, std::span<const BtsChannel> channels);
[[nodiscard]] std::string inquire(std::span<const BtsChannel> channels);
[[nodiscard]] std::string start(const BtsChannel& channel, const Job& job);
[[nodiscard]] std::string stored(const BtsChannel& channel);
[[nodiscard]] std::string download(const BtsChannel& channel, std::int64_t first, std::int64_t count);
[[nodiscard]] std::string download_log(const BtsChannel& channel);

// Text that XML can carry: UTF-8 without control characters.
[[nodiscard]] bool can_be_sent(std::string_view text) noexcept;

}  // namespace bts
}  // namespace cyclerd::remote
