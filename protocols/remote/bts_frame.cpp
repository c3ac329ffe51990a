#include "protocols/remote/bts_frame.hpp"

namespace cyclerd::remote {

namespace {

constexpr std::string_view kMark = "#\r\n";
constexpr std::string_view kClosing = "</bts>";
constexpr std::string_view kSpaces = " \t\r\n";

bool ends_a_reply(std::string_view before) {
  if (before.ends_with("\n\n")) return true;
  const auto last = before.find_last_not_of(kSpaces);
  return last != std::string_view::npos && before.substr(0, last + 1).ends_with(kClosing);
}

}  // namespace

BtsReplyFrame::State BtsReplyFrame::add(std::string_view bytes) {
  // A mark may begin in what came before.
  std::size_t from = bytes_.size() < kMark.size() - 1 ? 0 : bytes_.size() - (kMark.size() - 1);
  bytes_.append(bytes);
  const std::string_view all = bytes_;
  for (auto at = all.find(kMark, from); at != std::string_view::npos; at = all.find(kMark, at + 1)) {
    if (!ends_a_reply(all.substr(0, at))) continue;
    end_ = at;
    return at + kMark.size() == all.size() ? State::complete : State::more_than_one;
  }
  return bytes_.size() > kMaxBtsReply ? State::too_long : State::incomplete;
}

}  // namespace cyclerd::remote
