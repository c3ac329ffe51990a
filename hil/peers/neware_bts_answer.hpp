// A BTS server's understanding of a request, and its own way of writing replies. No sockets, no thread of its own: the
// caller holds the world.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hil/peers/neware_bts_job.hpp"
#include "hil/plant/world.hpp"

namespace cyclerd::hil {

// One channel: a plant of the world under the vendor's numbers.
struct BtsPlace {
  std::size_t plant = 0;
  std::int32_t type = 27, device = 1, sub_device = 1, channel = 1;
};

struct BtsOptions {
  std::string user = "admin";
  std::string password;
  std::vector<BtsPlace> places;
  // What its computer finds under a path. A job with another path is refused.
  std::map<std::string, BtsPlan, std::less<>> schedules;
  bool names_sub_device_1 = true;  // the known fault, in replies about states
  bool misspells = true;           // "donwload_resp", as captured
};

class BtsFace {
 public:
  explicit BtsFace(BtsOptions options) : options_(std::move(options)), jobs_(options_.places.size()) {}

  // Looks at every plant at the present moment of the world.
  void follow(World& world, base::WallTime wall);
  // `logged_in` belongs to the connection. Empty: no sense in it, the server closes.
  [[nodiscard]] std::string answer(std::string_view request, World& world, base::WallTime wall, bool& logged_in);

  [[nodiscard]] const BtsJob& job(std::size_t place) const { return jobs_.at(place); }
  [[nodiscard]] const BtsOptions& options() const noexcept { return options_; }

 private:
  struct Element;
  std::string connect(std::string_view request, bool& logged_in) const;
  std::string device_info() const;
  std::string states(const std::vector<Element>& asked) const;
  std::string inquire(const std::vector<Element>& asked, World& world, base::WallTime wall);
  std::string change(const std::string& verb, const std::vector<Element>& asked, World& world, base::WallTime wall);
  std::string stored(const std::vector<Element>& asked) const;
  std::string download(const std::vector<Element>& asked) const;
  std::string log(const std::vector<Element>& asked) const;
  [[nodiscard]] const BtsPlace* place_of(const Element& element, std::size_t& index) const;
  bool obey(const std::string& verb, const Element& element, World& world, base::WallTime wall);

  BtsOptions options_;
  std::vector<BtsJob> jobs_;
  std::int64_t last_test_ = 142;
};

}  // namespace cyclerd::hil
