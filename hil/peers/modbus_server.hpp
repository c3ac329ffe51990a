// A Modbus TCP server on loopback for one twin. All its work runs on the io_context's thread; silence may be asked for
// from any thread.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

#include "hil/peers/register_map.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

class ModbusServer {
 public:
  // Listens on 127.0.0.1; port 0 takes a free one. `map` must outlive the server.
  [[nodiscard]] static base::Result<std::unique_ptr<ModbusServer>> listen(asio::io_context& io, std::uint16_t port,
                                                                          RegisterMap& map);
  ~ModbusServer();
  ModbusServer(const ModbusServer&) = delete;
  ModbusServer& operator=(const ModbusServer&) = delete;

  // Before the io_context runs: only the units that are added answer, instead of one map for all. `map` must outlive
  // the server.
  void add(std::uint8_t unit, RegisterMap& map) { units_.insert_or_assign(unit, &map); }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  // Requests are still read and still act on nothing: no reply comes, as from a hung device.
  void set_mute(bool mute) noexcept { mute_ = mute; }
  [[nodiscard]] bool mute() const noexcept { return mute_; }
  // Closes every connection; new ones are welcome.
  void drop_clients();
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

 private:
  class Session;
  ModbusServer(asio::io_context& io, RegisterMap& map) : io_(io), acceptor_(io), map_(map) {}
  void accept();
  [[nodiscard]] RegisterMap* map_of(std::uint8_t unit) noexcept {
    if (units_.empty()) return &map_;
    const auto found = units_.find(unit);
    return found == units_.end() ? nullptr : found->second;
  }

  asio::io_context& io_;
  asio::ip::tcp::acceptor acceptor_;
  RegisterMap& map_;
  std::map<std::uint8_t, RegisterMap*> units_;
  std::uint16_t port_ = 0;
  std::atomic<bool> mute_{false};
  std::atomic<std::uint64_t> requests_{0};
  static constexpr std::size_t kMaxClients = 16;
  std::array<std::weak_ptr<Session>, kMaxClients> sessions_;
};

}  // namespace cyclerd::hil
