#include "protocols/remote/remote_cycler.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace cyclerd::remote {

std::string to_text(const ChannelId& id) {
  return fmt::format("{}-{}-{}", id.device, id.sub_device, id.channel);
}

std::optional<ChannelId> parse_channel_id(std::string_view text) {
  std::array<std::int32_t, 3> parts{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '-')) return std::nullopt;
    if (at == end || *at < '0' || *at > '9') return std::nullopt;
    const auto [after, error] = std::from_chars(at, end, parts[i]);
    if (error != std::errc{}) return std::nullopt;
    at = after;
  }
  if (at != end) return std::nullopt;
  return ChannelId{parts[0], parts[1], parts[2]};
}

std::string_view to_string(ChannelState state) noexcept {
  switch (state) {
    case ChannelState::unknown: break;
    case ChannelState::working: return "working";
    case ChannelState::waiting: return "waiting";
    case ChannelState::paused: return "paused";
    case ChannelState::finished: return "finished";
    case ChannelState::stopped: return "stopped";
    case ChannelState::protection: return "protection";
  }
  return "unknown";
}

bool is_free(ChannelState state) noexcept {
  return state == ChannelState::finished || state == ChannelState::stopped || state == ChannelState::protection;
}

}  // namespace cyclerd::remote
