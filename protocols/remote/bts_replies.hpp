// What a BTS server answers, read within bounds. Pure. Replies to several channels are matched by their place: servers
// are known to name sub-device 1 for every other.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/remote/bts_requests.hpp"
#include "protocols/remote/remote_cycler.hpp"

namespace cyclerd::remote::bts {

inline constexpr int kMaxXmlDepth = 16;

// Errors: protocol when the text is no such reply or does not fit the question; permission, refused when the server
// says no. Their subject is empty: the caller knows the server.
[[nodiscard]] base::Status read_connect(std::string_view document);
[[nodiscard]] base::Result<std::vector<BtsChannel>> read_device_info(std::string_view document);
[[nodiscard]] base::Result<std::vector<ChannelStatus>> read_status(std::string_view document,
                                                                   std::span<const BtsChannel> asked);
[[nodiscard]] base::Result<std::vector<Progress>> read_inquire(std::string_view document,
                                                               std::span<const BtsChannel> asked);
// start, stop, clearflag of one channel: false when the server says no.
[[nodiscard]] base::Result<bool> read_verdict(std::string_view document, std::string_view verb,
                                              const BtsChannel& asked);
[[nodiscard]] base::Result<StoredTest> read_stored(std::string_view document, const BtsChannel& asked);

struct Page {
  std::string test_id;  // empty: the server does not tell
  std::vector<DataPoint> points;
};
// Points rise and none is below `first`.
[[nodiscard]] base::Result<Page> read_download(std::string_view document, const BtsChannel& asked, std::int64_t first);
[[nodiscard]] base::Result<std::vector<LogEntry>> read_log(std::string_view document, const BtsChannel& asked);

[[nodiscard]] ChannelState state_of(std::string_view word) noexcept;

}  // namespace cyclerd::remote::bts
