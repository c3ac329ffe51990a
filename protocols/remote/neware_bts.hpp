// A Neware BTS 8 server over TCP: XML questions and answers, one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/remote/bts_requests.hpp"
#include "protocols/remote/password.hpp"
#include "protocols/remote/remote_cycler.hpp"
#include "protocols/transport/tcp.hpp"

namespace cyclerd::remote {

struct BtsEndpoint {
  std::string host;
  std::uint16_t port = 502;
  std::string user;
  Password password;
  base::Duration connect_timeout = base::seconds(3);
  base::Duration response_timeout = base::seconds(30);  // for a whole reply; the maker's document allows so much
};

class NewareBts final : public RemoteCycler {
 public:
  // `cancelled` (may be empty) is asked while waiting; true ends the wait as a time-out does.
  NewareBts(BtsEndpoint endpoint, base::Clock& clock, std::function<bool()> cancelled = {});
  NewareBts(NewareBts&&) = default;
  ~NewareBts() override = default;

  base::Status connect() override;
  void close() noexcept override;
  bool is_connected() const noexcept override { return socket_.valid(); }
  base::Result<std::vector<ChannelStatus>> channels() override;
  base::Result<std::vector<Progress>> poll(std::span<const ChannelId> ids) override;
  base::Status start(const Job& job) override;
  base::Status stop(const ChannelId& id) override;
  base::Status clear_flag(const ChannelId& id) override;
  base::Result<StoredTest> stored(const ChannelId& id) override;
  base::Result<StoredTest> fetch(const ChannelId& id, const PointRange& range, const Sink& sink) override;
  base::Result<std::vector<LogEntry>> log(const ChannelId& id) override;

 private:
  // The reply to one request, without its terminator. Any error but `disconnected` before sending closes.
  base::Result<std::string> ask(std::string_view verb, const std::string& request);
  base::Status send(std::string_view verb, std::string_view bytes, base::MonoTime deadline);
  base::Result<std::string> receive(std::string_view verb, base::MonoTime deadline);
  // Waits for the socket; failure when time is up or the wait was cancelled.
  base::Status wait(std::string_view verb, short events, base::MonoTime deadline);
  // Names the server, and closes after an answer that does not fit.
  std::unexpected<base::Error> failed(base::Error error);
  template <class T>
  base::Result<T> checked(base::Result<T> read);
  base::Result<BtsChannel> find(const ChannelId& id);
  base::Result<ChannelStatus> status_of(const BtsChannel& channel);
  base::Result<bool> verdict(std::string_view verb, const std::string& request, const BtsChannel& channel);

  BtsEndpoint endpoint_;
  base::Clock& clock_;
  std::function<bool()> cancelled_;
  std::string name_;
  transport::Descriptor socket_;
  std::vector<BtsChannel> channels_;  // as the server told at connect
};

}  // namespace cyclerd::remote
