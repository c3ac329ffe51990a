#include "hil/app/twin_server.hpp"

#include <utility>

namespace cyclerd::hil {
namespace {

// Modbus TCP and lines of text are alike to those who disturb them.
template <class Server>
class Whole final : public TwinServer {
 public:
  Whole(Server& server, std::string path) : server_(server), path_(std::move(path)) {}
  void set_mute(bool mute) noexcept override { server_.set_mute(mute); }
  [[nodiscard]] bool mute() const noexcept override { return server_.mute(); }
  void drop_clients() override { server_.drop_clients(); }
  [[nodiscard]] std::uint64_t requests() const noexcept override { return server_.requests(); }
  [[nodiscard]] std::uint16_t port() const noexcept override { return server_.port(); }
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  Server& server_;
  std::string path_;
};

// One unit of a serial line.
class LineUnit final : public TwinServer {
 public:
  LineUnit(RtuServer& server, int unit) : server_(server), unit_(static_cast<std::uint8_t>(unit)) {}
  void set_mute(bool mute) noexcept override {
    mute_ = mute;
    server_.set_mute(unit_, mute);
  }
  [[nodiscard]] bool mute() const noexcept override { return mute_; }
  void drop_clients() override {}  // a line has no connections
  [[nodiscard]] std::uint64_t requests() const noexcept override { return server_.requests(); }
  [[nodiscard]] std::uint16_t port() const noexcept override { return 0; }
  [[nodiscard]] const std::string& path() const noexcept override { return server_.path(); }

 private:
  RtuServer& server_;
  std::uint8_t unit_;
  bool mute_ = false;
};

base::Status open_text(TwinConnection& c, const std::vector<TwinOrder>& orders, SharedWorld& world,
                       const base::Clock& clock) {
  const LabPlace& place = orders.front().place;
  std::vector<TwinSeat> seats;
  for (const TwinOrder& order : orders) seats.push_back(order.seat);
  c.instrument = place.kind->text(world, seats);
  auto server = place.tty ? TextServer::open(c.io, clock, *c.instrument, place.kind->lines, *place.tty)
                          : TextServer::listen(c.io, clock, place.port, *c.instrument, place.kind->lines);
  if (!server) return std::unexpected(std::move(server).error());
  c.text = std::move(*server);
  for (const TwinOrder& order : orders)
    c.twins.emplace_back(order.name, std::make_unique<Whole<TextServer>>(*c.text, c.text->path()));
  return {};
}

base::Status open_line(TwinConnection& c, const std::vector<TwinOrder>& orders, const base::Clock& clock) {
  RtuManners manners;
  for (const TwinOrder& order : orders)
    manners.least_gap = std::max(manners.least_gap, order.place.kind->rtu.least_gap);
  auto server = RtuServer::open(c.io, clock, manners, *orders.front().place.tty);
  if (!server) return std::unexpected(std::move(server).error());
  c.rtu = std::move(*server);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    c.rtu->add(static_cast<std::uint8_t>(orders[i].place.unit), *c.maps[i]);
    c.twins.emplace_back(orders[i].name, std::make_unique<LineUnit>(*c.rtu, orders[i].place.unit));
  }
  return {};
}

}  // namespace

base::Status open_connection(TwinConnection& c, const std::vector<TwinOrder>& orders, SharedWorld& world,
                             const base::Clock& clock) {
  const LabPlace& place = orders.front().place;
  if (place.kind->text != nullptr) return open_text(c, orders, world, clock);
  for (const TwinOrder& order : orders) c.maps.push_back(order.place.kind->registers(world, order.seat));
  if (place.tty) return open_line(c, orders, clock);
  auto server = ModbusServer::listen(c.io, place.port, *c.maps.front());
  if (!server) return std::unexpected(std::move(server).error());
  c.modbus = std::move(*server);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    // A twin alone answers every unit, as instruments behind their own socket do.
    if (orders.size() > 1) c.modbus->add(static_cast<std::uint8_t>(orders[i].place.unit), *c.maps[i]);
    c.twins.emplace_back(orders[i].name, std::make_unique<Whole<ModbusServer>>(*c.modbus, std::string()));
  }
  return {};
}

}  // namespace cyclerd::hil
