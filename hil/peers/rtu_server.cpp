#include "hil/peers/rtu_server.hpp"

#include <unistd.h>

#include <algorithm>
#include <asio/write.hpp>
#include <chrono>
#include <utility>

#include "hil/peers/modbus_answer.hpp"

namespace cyclerd::hil {

namespace {

std::chrono::microseconds in_chrono(base::Duration d) {
  return std::chrono::microseconds(d.us);
}

}  // namespace

base::Result<std::unique_ptr<RtuServer>> RtuServer::open(asio::io_context& io, const base::Clock& clock,
                                                         const RtuManners& manners, const std::string& link) {
  auto pty = PseudoTerminal::open(link);
  if (!pty) return std::unexpected(pty.error());
  std::unique_ptr<RtuServer> server(new RtuServer(io, clock, manners, std::move(*pty)));
  server->read();
  return server;
}

RtuServer::RtuServer(asio::io_context& io, const base::Clock& clock, const RtuManners& manners, PseudoTerminal pty)
    : clock_(clock), manners_(manners), pty_(std::move(pty)), line_(io, dup(pty_.master())), silence_(io), delay_(io) {}

RtuServer::~RtuServer() {
  std::error_code ignored;
  line_.close(ignored);
}

void RtuServer::read() {
  line_.async_read_some(asio::buffer(chunk_), [this](std::error_code error, std::size_t n) {
    if (error) return;
    take(std::span(chunk_).first(n));
    read();
  });
}

void RtuServer::take(std::span<const std::uint8_t> bytes) {
  if (manners_.echo) {
    std::error_code ignored;
    (void)asio::write(line_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  if (filled_ == 0) frame_began_ = clock_.now();
  // What is too long for a frame is none; only its end is still to be heard.
  const std::size_t n = std::min(bytes.size(), in_.size() - filled_);
  std::copy_n(bytes.begin(), n, in_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += n;
  silence_.expires_after(in_chrono(manners_.frame_end));
  silence_.async_wait([this](std::error_code error) {
    if (!error) end_of_frame();
  });
}

void RtuServer::end_of_frame() {
  const std::size_t length = std::exchange(filled_, 0);
  const base::Duration gap = frame_began_ - last_frame_;
  // The silence that told the end was none of the frame's.
  last_frame_ = clock_.now() - manners_.frame_end;
  const auto request = open_rtu_frame(std::span(in_).first(length));
  if (!request || (manners_.least_gap.us > 0 && gap < manners_.least_gap)) {
    ++ignored_;
    return;
  }
  if (mute_[0] || mute_[request->unit]) return;
  const auto pdu = std::span(out_).subspan<1, kMaxPdu>();
  if (request->unit == 0) {  // everybody acts, nobody answers
    for (auto& [unit, map] : slaves_) (void)answer_pdu(request->pdu, *map, pdu);
    ++requests_;
    return;
  }
  const auto slave = slaves_.find(request->unit);
  if (slave == slaves_.end()) return;  // somebody else's
  ++requests_;
  reply(close_rtu_frame(request->unit, answer_pdu(request->pdu, *slave->second, pdu), out_));
}

void RtuServer::reply(std::size_t length) {
  if (manners_.reply_delay.us == 0) return send(length);
  delay_.expires_after(in_chrono(manners_.reply_delay));
  delay_.async_wait([this, length](std::error_code error) {
    if (!error) send(length);
  });
}

void RtuServer::send(std::size_t length) {
  std::error_code ignored;
  (void)asio::write(line_, asio::buffer(out_.data(), length), ignored);
  last_frame_ = clock_.now();
}

}  // namespace cyclerd::hil
