// The servers of twins alike: what the control hook asks of any of them.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "hil/lab/lab.hpp"
#include "hil/peers/modbus_server.hpp"
#include "hil/peers/rtu_server.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/text_server.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

// One twin as it is served; several may share a connection.
class TwinServer {
 public:
  virtual ~TwinServer() = default;
  virtual void set_mute(bool mute) noexcept = 0;
  [[nodiscard]] virtual bool mute() const noexcept = 0;
  virtual void drop_clients() = 0;
  [[nodiscard]] virtual std::uint64_t requests() const noexcept = 0;
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;       // 0: on a pty
  [[nodiscard]] virtual const std::string& path() const noexcept = 0;  // "": on TCP
};

// What one twin of a connection is made from.
struct TwinOrder {
  std::string name;
  LabPlace place;
  TwinSeat seat;
};

// A connection and everything behind it; its work runs on `io`.
struct TwinConnection {
  asio::io_context io{1};
  std::vector<std::unique_ptr<RegisterMap>> maps;
  std::unique_ptr<TextInstrument> instrument;
  std::unique_ptr<ModbusServer> modbus;
  std::unique_ptr<RtuServer> rtu;
  std::unique_ptr<TextServer> text;
  std::vector<std::pair<std::string, std::unique_ptr<TwinServer>>> twins;  // by name
};
// The first order is the one whose connection it is.
[[nodiscard]] base::Status open_connection(TwinConnection& connection, const std::vector<TwinOrder>& orders,
                                           SharedWorld& world, const base::Clock& clock);

}  // namespace cyclerd::hil
