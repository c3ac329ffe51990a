#include "hil/peers/modbus_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include "hil/peers/modbus_answer.hpp"

namespace cyclerd::hil {

using asio::ip::tcp;

// One client. Requests are answered in order, each before the next is looked at.
class ModbusServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, ModbusServer& server) : socket_(std::move(socket)), server_(server) {}

  void start() {
    std::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    read();
  }
  void close() {
    std::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(in_.data() + filled_, in_.size() - filled_),
                            [self = shared_from_this()](std::error_code error, std::size_t n) {
                              if (error) return;  // the client is gone; so is this session
                              self->filled_ += n;
                              self->work();
                            });
  }

  void work() {
    while (true) {
      const Frame frame = next_frame(std::span(in_).first(filled_));
      if (frame.state == Frame::State::broken) return close();
      if (frame.state == Frame::State::incomplete) return read();
      std::size_t reply = 0;
      RegisterMap* map = server_.map_of(in_[6]);  // the unit's; nobody's keeps silent
      if (!server_.mute_ && map != nullptr) {
        reply = answer_frame(std::span(in_).first(frame.length), *map, out_);
        ++server_.requests_;
      }
      std::copy(in_.begin() + static_cast<std::ptrdiff_t>(frame.length),
                in_.begin() + static_cast<std::ptrdiff_t>(filled_), in_.begin());
      filled_ -= frame.length;
      if (reply > 0) return write(reply);
    }
  }

  void write(std::size_t length) {
    asio::async_write(socket_, asio::buffer(out_.data(), length),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        if (!error) self->work();
                      });
  }

  tcp::socket socket_;
  ModbusServer& server_;
  std::array<std::uint8_t, 4 * kMaxAdu> in_{};
  std::size_t filled_ = 0;
  std::array<std::uint8_t, kMaxAdu> out_{};
};

base::Result<std::unique_ptr<ModbusServer>> ModbusServer::listen(asio::io_context& io, std::uint16_t port,
                                                                 RegisterMap& map) {
  std::unique_ptr<ModbusServer> server(new ModbusServer(io, map));
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

ModbusServer::~ModbusServer() {
  for (auto& slot : sessions_) {
    if (auto session = slot.lock()) session->close();
  }
}

void ModbusServer::accept() {
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

void ModbusServer::drop_clients() {
  asio::post(io_, [this] {
    for (auto& slot : sessions_) {
      if (auto session = slot.lock()) session->close();
    }
  });
}

}  // namespace cyclerd::hil
