// The driver of every instrument that speaks lines of text: a Device made from its description and its line.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"
#include "protocols/scpi/text_line.hpp"

namespace cyclerd::scpi {

struct TextEndpoint {
  std::string channel;                             // instead of the description's; empty: that one
  std::optional<base::Duration> response_timeout;  // default: the description's
};

// Does no I/O yet; open() does. `line` may be shared by several devices, all used by the wire's one thread.
[[nodiscard]] std::unique_ptr<device::Device> make_text_device(std::shared_ptr<const device::Description> description,
                                                               std::shared_ptr<TextLine> line,
                                                               const TextEndpoint& endpoint,
                                                               const device::SiteParameters& site, base::Clock& clock);
// Its link alone, for looking at an instrument.
[[nodiscard]] std::unique_ptr<device::ItemLink> make_text_link(std::shared_ptr<const device::Description> description,
                                                               std::shared_ptr<TextLine> line,
                                                               const TextEndpoint& endpoint,
                                                               const device::SiteParameters& site, base::Clock& clock);

[[nodiscard]] std::shared_ptr<TextLine> make_tcp_text_line(std::string host, std::uint16_t port, base::Clock& clock);
[[nodiscard]] std::shared_ptr<TextLine> make_serial_text_line(std::string device,
                                                              const transport::SerialSettings& settings,
                                                              base::Clock& clock);

}  // namespace cyclerd::scpi
