#include "hil/peers/neware_bts_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <string>

namespace cyclerd::hil {

using asio::ip::tcp;

namespace {

constexpr std::string_view kEnd = "#\r\n";
constexpr std::size_t kLongestRequest = 1U << 20U;

}  // namespace

// One client. A request is answered before the next is looked at.
class BtsServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, BtsServer& server) : socket_(std::move(socket)), server_(server) {}

  void start() {
    std::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    work();
  }
  void close() {
    std::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](std::error_code error, std::size_t n) {
      if (error) return;  // the client is gone; so is this session
      self->in_.append(self->chunk_.data(), n);
      self->work();
    });
  }

  void work() {
    const auto end = in_.find(kEnd);
    if (end == std::string::npos) {
      if (in_.size() > kLongestRequest) return close();
      return read();
    }
    const std::string request = in_.substr(0, end);
    in_.erase(0, end + kEnd.size());
    ++server_.requests_;
    const BtsManner manner = server_.take_manner();
    if (manner == BtsManner::deaf) return work();
    const std::string reply = server_.world_.now([&](World& world) {
      server_.face_.follow(world, server_.clock_.wall());
      return server_.face_.answer(request, world, server_.clock_.wall(), logged_in_);
    });
    if (reply.empty()) return close();
    say(reply, manner);
  }

  void say(const std::string& reply, BtsManner manner) {
    const std::string whole = reply + "\n\n#\r\n";
    switch (manner) {
      case BtsManner::good: return write(whole);
      case BtsManner::deaf:
      case BtsManner::mute: return work();
      case BtsManner::drop: return close();
      case BtsManner::drop_in_reply: close_after_ = true; return write(whole.substr(0, whole.size() / 2));
      case BtsManner::garbage: return write("\x7f\x01<bts><</cmd>\n\n#\r\n");
      case BtsManner::endless: return write_endless();
      case BtsManner::cut: return write(reply.substr(0, reply.size() / 2) + "\n\n#\r\n");
      case BtsManner::twice: return write(whole + whole);
      case BtsManner::wrong_verb: return write("<bts version=\"1.0\"><cmd>light_resp</cmd></bts>\n\n#\r\n");
      case BtsManner::short_end: return write(reply + "#\r\n");
      case BtsManner::trickle: return trickle(whole);
    }
  }

  void write(std::string text) {
    out_ = std::move(text);
    asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](std::error_code error, std::size_t) {
      if (error) return;
      if (self->close_after_) return self->close();
      self->work();
    });
  }

  void trickle(std::string rest) {
    if (rest.empty()) return work();
    out_ = rest.substr(0, 7);
    rest.erase(0, 7);
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), rest = std::move(rest)](std::error_code error, std::size_t) mutable {
                        if (!error) self->trickle(std::move(rest));
                      });
  }

  void write_endless() {
    out_.assign(1U << 18U, 'x');
    asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](std::error_code error, std::size_t) {
      if (!error) self->write_endless();  // until the client has had enough
    });
  }

  tcp::socket socket_;
  BtsServer& server_;
  std::array<char, 4096> chunk_{};
  std::string in_, out_;
  bool logged_in_ = false;
  bool close_after_ = false;
};

base::Result<std::unique_ptr<BtsServer>> BtsServer::listen(asio::io_context& io, std::uint16_t port, SharedWorld& world,
                                                           const base::Clock& clock, BtsOptions options) {
  std::unique_ptr<BtsServer> server(new BtsServer(io, world, clock, std::move(options)));
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

BtsServer::~BtsServer() {
  for (auto& slot : sessions_) {
    if (auto session = slot.lock()) session->close();
  }
}

void BtsServer::accept() {
  acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      auto slot = std::find_if(sessions_.begin(), sessions_.end(), [](const auto& s) { return s.expired(); });
      if (slot != sessions_.end()) {
        auto session = std::make_shared<Session>(std::move(socket), *this);
        *slot = session;
        session->start();
      }  // else: full; the socket closes
    }
    accept();
  });
}

void BtsServer::beat() {
  world_.now([this](World& world) { face_.follow(world, clock_.wall()); });
}

void BtsServer::misbehave(BtsManner manner, int replies, int after) noexcept {
  manner_left_ = 0;
  manner_ = manner;
  good_left_ = after;
  manner_left_ = replies;
}

BtsManner BtsServer::take_manner() noexcept {
  if (manner_left_ <= 0) return BtsManner::good;
  if (good_left_ > 0) {
    --good_left_;
    return BtsManner::good;
  }
  --manner_left_;
  return manner_;
}

void BtsServer::drop_clients() {
  asio::post(io_, [this] {
    for (auto& slot : sessions_) {
      if (auto session = slot.lock()) session->close();
    }
  });
}

}  // namespace cyclerd::hil
