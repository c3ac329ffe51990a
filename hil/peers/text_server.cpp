#include "hil/peers/text_server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <utility>

namespace cyclerd::hil {

using asio::ip::tcp;

namespace {
constexpr std::size_t kLongestLine = 16384;
}

class TextServer::Session {
 public:
  virtual ~Session() = default;
  virtual void close() = 0;
};

// One client. Lines are answered in order, each before the next is looked at.
template <class Stream>
class TextServer::StreamSession final : public Session,
                                        public std::enable_shared_from_this<TextServer::StreamSession<Stream>> {
 public:
  StreamSession(Stream stream, TextServer& server) : stream_(std::move(stream)), timer_(server.io_), server_(server) {}

  void read() {
    stream_.async_read_some(asio::buffer(chunk_),
                            [self = this->shared_from_this()](std::error_code error, std::size_t n) {
                              if (error) return;  // the client is gone; so is this session
                              self->pending_.append(self->chunk_.data(), n);
                              self->work();
                            });
  }
  void close() override {
    std::error_code ignored;
    stream_.close(ignored);
    timer_.cancel();
  }

 private:
  void work() {
    while (true) {
      const std::size_t end = pending_.find_first_of(server_.manners_.line_ends);
      if (end == std::string::npos) {
        if (pending_.size() > kLongestLine) return close();
        return read();
      }
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.empty()) continue;
      auto reply = server_.take_line(line);
      if (!reply) continue;
      out_ = *reply + server_.manners_.reply_end;
      const std::int64_t delay_us = server_.manners_.reply_delay.us + server_.late_us_.exchange(0);
      if (delay_us <= 0) return write();
      timer_.expires_after(std::chrono::microseconds(delay_us));
      timer_.async_wait([self = this->shared_from_this()](std::error_code error) {
        if (!error) self->write();
      });
      return;
    }
  }
  void write() {
    asio::async_write(stream_, asio::buffer(out_),
                      [self = this->shared_from_this()](std::error_code error, std::size_t) {
                        if (!error) self->work();
                      });
  }

  Stream stream_;
  asio::steady_timer timer_;
  TextServer& server_;
  std::array<char, 1024> chunk_{};
  std::string pending_, out_;
};

std::optional<std::string> TextServer::take_line(std::string_view line) {
  const base::MonoTime now = clock_.now();
  const bool too_soon = heard_ && manners_.least_gap.us > 0 && now - last_line_ < manners_.least_gap;
  heard_ = true;
  last_line_ = now;
  if (too_soon) {
    ++lost_;
    return std::nullopt;
  }
  if (mute_) return std::nullopt;
  ++requests_;
  return instrument_.answer(line);
}

base::Result<std::unique_ptr<TextServer>> TextServer::listen(asio::io_context& io, const base::Clock& clock,
                                                             std::uint16_t port, TextInstrument& instrument,
                                                             TextManners manners) {
  std::unique_ptr<TextServer> server(new TextServer(io, clock, instrument, std::move(manners)));
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  std::error_code error;
  auto tried = [&](auto&& action) {
    if (!error) action();
  };
  tried([&] { server->acceptor_.open(where.protocol(), error); });
  tried([&] { server->acceptor_.set_option(tcp::acceptor::reuse_address(true), error); });
  tried([&] { server->acceptor_.bind(where, error); });
  tried([&] { server->acceptor_.listen(asio::socket_base::max_listen_connections, error); });
  if (error) {
    return base::failure(base::ErrorCode::io, fmt::format("127.0.0.1:{}", port),
                         fmt::format("cannot listen: {}; choose another port or 0 for a free one", error.message()));
  }
  server->port_ = server->acceptor_.local_endpoint(error).port();
  server->accept();
  return server;
}

base::Result<std::unique_ptr<TextServer>> TextServer::open(asio::io_context& io, const base::Clock& clock,
                                                           TextInstrument& instrument, TextManners manners,
                                                           const std::string& link) {
  auto pty = PseudoTerminal::open(link);
  if (!pty) return std::unexpected(pty.error());
  std::unique_ptr<TextServer> server(new TextServer(io, clock, instrument, std::move(manners)));
  server->path_ = pty->path();
  server->pty_.emplace(std::move(*pty));
  asio::posix::stream_descriptor line(io, dup(server->pty_->master()));
  auto session = std::make_shared<StreamSession<asio::posix::stream_descriptor>>(std::move(line), *server);
  server->sessions_[0] = session;
  session->read();
  return server;
}

TextServer::~TextServer() {
  for (auto& slot : sessions_) {
    if (auto session = slot.lock()) session->close();
  }
}

void TextServer::accept() {
  acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      const auto last = sessions_.begin() + static_cast<std::ptrdiff_t>(std::min(manners_.max_clients, kMaxClients));
      auto slot = std::find_if(sessions_.begin(), last, [](const auto& s) { return s.expired(); });
      if (slot != last) {
        std::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        auto session = std::make_shared<StreamSession<tcp::socket>>(std::move(socket), *this);
        *slot = session;
        session->read();
      }  // else: full; the socket closes
    }
    accept();
  });
}

void TextServer::drop_clients() {
  if (pty_) return;
  asio::post(io_, [this] {
    for (auto& slot : sessions_) {
      if (auto session = slot.lock()) session->close();
    }
  });
}

}  // namespace cyclerd::hil
