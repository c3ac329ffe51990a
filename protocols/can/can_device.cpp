#include "protocols/can/can_device.hpp"

#include "protocols/can/can_link.hpp"
#include "protocols/device/scripted_device.hpp"

namespace cyclerd::can {

std::unique_ptr<device::Device> make_can_device(std::shared_ptr<const device::Description> description,
                                                std::shared_ptr<CanLine> line, const device::SiteParameters& site,
                                                base::Clock& clock) {
  auto link = std::make_unique<CanLink>(description, site, std::move(line), clock);
  return device::make_scripted_device(std::move(description), site, std::move(link), clock);
}

}  // namespace cyclerd::can
