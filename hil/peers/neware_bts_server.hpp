// A BTS server on loopback, from published facts alone and with XML of its own making: channels in front of plants,
// whole jobs instead of set-points, and bad manners on demand. Its work runs on the io_context's thread; beat() and the
// manners may be called from any.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <cstdint>
#include <memory>

#include "hil/peers/neware_bts_answer.hpp"
#include "hil/peers/shared_world.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

// What happens to a reply. The request has been obeyed all the same, but for `deaf`.
enum class BtsManner : std::uint8_t {
  good = 0,
  deaf,           // neither obeyed nor answered
  mute,           // obeyed, not answered
  drop,           // the connection closes instead
  drop_in_reply,  // ... in the middle of the reply
  garbage,        // bytes that end like a reply and are none
  endless,        // bytes without an end
  cut,            // half of the reply, properly ended
  twice,          // the reply comes two times
  wrong_verb,     // a well-formed reply to something else
  short_end,      // ended without the empty line
  trickle,        // in pieces of seven bytes
};

class BtsServer {
 public:
  // Listens on 127.0.0.1; port 0 takes a free one. `world` and `clock` must outlive the server.
  [[nodiscard]] static base::Result<std::unique_ptr<BtsServer>> listen(asio::io_context& io, std::uint16_t port,
                                                                       SharedWorld& world, const base::Clock& clock,
                                                                       BtsOptions options);
  ~BtsServer();
  BtsServer(const BtsServer&) = delete;
  BtsServer& operator=(const BtsServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  // Looks at the jobs at the present moment: as often as steps shall end on time and points be kept.
  void beat();
  // `after` good replies, then so many `replies` like this.
  void misbehave(BtsManner manner, int replies = 1, int after = 0) noexcept;
  void drop_clients();
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  // Calls f(const BtsFace&) while nothing moves.
  template <class Function>
  decltype(auto) look(Function&& f) {
    return world_.now([&](World&) -> decltype(auto) { return std::forward<Function>(f)(std::as_const(face_)); });
  }

 private:
  class Session;
  BtsServer(asio::io_context& io, SharedWorld& world, const base::Clock& clock, BtsOptions options)
      : io_(io), acceptor_(io), world_(world), clock_(clock), face_(std::move(options)) {}
  void accept();
  [[nodiscard]] BtsManner take_manner() noexcept;

  asio::io_context& io_;
  asio::ip::tcp::acceptor acceptor_;
  SharedWorld& world_;
  const base::Clock& clock_;
  BtsFace face_;  // only inside world_.now()
  std::uint16_t port_ = 0;
  std::atomic<BtsManner> manner_{BtsManner::good};
  std::atomic<int> manner_left_{0}, good_left_{0};
  std::atomic<std::uint64_t> requests_{0};
  static constexpr std::size_t kMaxClients = 8;
  std::array<std::weak_ptr<Session>, kMaxClients> sessions_;
};

}  // namespace cyclerd::hil
