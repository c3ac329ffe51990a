// One instrument, or one channel of one, on a line of text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/device/text_item.hpp"
#include "protocols/scpi/text_line.hpp"

namespace cyclerd::scpi {

// How the instrument wants to be spoken to.
struct TextManners {
  device::TextLayer layer;
  std::string channel;
  base::Duration response_timeout = base::seconds(1);
  base::Duration worst_response;  // 0: twice the response timeout
  base::Duration min_gap;         // between two messages on the line
  base::Duration request_gap;     // between two messages to this instrument
};

// After a time-out or a reply that does not fit, is_connected() is false and every call fails with `disconnected` until
// connect(). A refusal leaves the line in step. Messages carry the layer's prefix already.
class TextClient {
 public:
  TextClient(std::shared_ptr<TextLine> line, TextManners manners, base::Clock& clock);
  ~TextClient();
  TextClient(const TextClient&) = delete;
  TextClient& operator=(const TextClient&) = delete;

  // Opens the line unless it is open. After a doubt the first question waits until no late reply can come any more;
  // messages that are not questions are not held back: an output must be opened at once.
  base::Status connect();
  // Closes the line when nobody shares it.
  void close() noexcept;
  [[nodiscard]] bool is_connected() const noexcept;
  [[nodiscard]] std::string_view name() const noexcept { return name_.view(); }

  // The reply without its terminator, valid until the next call.
  [[nodiscard]] base::Result<std::string_view> ask(std::string_view message);
  // `expected`: pattern of the acknowledgement; empty: nothing is answered. While the line is out of step an
  // acknowledgement proves nothing and is not judged: what was set counts when it was read back.
  base::Status tell(std::string_view message, std::string_view expected, base::Duration after);
  // Asks the error queue until it is empty; `refused` with its first entry.
  base::Status check_errors();
  // The reply could not be read: out of step.
  base::Error garbled(std::string_view reply);

  // Moments around the last question.
  [[nodiscard]] base::MonoTime sent() const noexcept { return sent_; }
  [[nodiscard]] base::MonoTime received() const noexcept { return received_; }
  // Changes with every message that went over the line, whoever sent it.
  [[nodiscard]] std::uint64_t messages() const noexcept { return line_->messages(); }

 private:
  [[nodiscard]] const device::TextLayer& layer() const noexcept { return manners_.layer; }
  base::Status connected() const;
  base::Status get_in_step();
  base::Status select();
  void select_unheard();
  base::Status tell_unheard(std::string_view message, bool answered, base::Duration after);
  void write_unheard(std::string_view message, bool answered, base::Status& done);
  base::Status turn();
  [[nodiscard]] base::Result<std::string_view> exchange(std::string_view message);
  [[nodiscard]] base::Status refusal(std::string_view message, std::string_view reply) const;
  std::unexpected<base::Error> doubt(base::Error error, std::string_view message);

  std::shared_ptr<TextLine> line_;
  TextManners manners_;
  base::Clock& clock_;
  base::FixedText<48> name_;
  std::string select_message_;
  std::string sync_send_;
  std::string sync_ask_;
  std::string error_query_;
  std::uint32_t epoch_ = 0;
  bool connected_ = false;
  base::MonoTime sent_;
  base::MonoTime received_;
};

}  // namespace cyclerd::scpi
