#include "protocols/scpi/text_device.hpp"

#include <cmath>

#include "protocols/device/scripted_device.hpp"
#include "protocols/scpi/text_client.hpp"
#include "protocols/scpi/text_link.hpp"

namespace cyclerd::scpi {

namespace {

std::string channel_of(const device::Description& d, const TextEndpoint& endpoint, const device::SiteParameters& site) {
  if (!endpoint.channel.empty()) return endpoint.channel;
  if (d.text.channel_parameter == device::kNone) return d.text.channel;
  const auto index = static_cast<std::size_t>(d.text.channel_parameter);
  const device::Parameter& p = d.parameters[index];
  const double value = site.values[index];
  if (p.kind == device::Parameter::Kind::word) return p.words[static_cast<std::size_t>(value)];
  return std::to_string(std::llround(value));
}

}  // namespace

std::unique_ptr<device::ItemLink> make_text_link(std::shared_ptr<const device::Description> description,
                                                 std::shared_ptr<TextLine> line, const TextEndpoint& endpoint,
                                                 const device::SiteParameters& site, base::Clock& clock) {
  TextManners manners;
  manners.layer = description->text;
  manners.channel = channel_of(*description, endpoint, site);
  manners.response_timeout = endpoint.response_timeout.value_or(description->response_timeout);
  manners.worst_response = description->worst_response;
  manners.min_gap = description->min_gap;
  manners.request_gap = description->request_gap;
  std::string channel = manners.channel;
  auto client = std::make_unique<TextClient>(std::move(line), std::move(manners), clock);
  return std::make_unique<TextLink>(std::move(description), std::move(client), std::move(channel));
}

std::unique_ptr<device::Device> make_text_device(std::shared_ptr<const device::Description> description,
                                                 std::shared_ptr<TextLine> line, const TextEndpoint& endpoint,
                                                 const device::SiteParameters& site, base::Clock& clock) {
  auto link = make_text_link(description, std::move(line), endpoint, site, clock);
  return device::make_scripted_device(std::move(description), site, std::move(link), clock);
}

std::shared_ptr<TextLine> make_tcp_text_line(std::string host, std::uint16_t port, base::Clock& clock) {
  return std::make_shared<TextLine>(transport::make_tcp_stream(std::move(host), port, clock), clock);
}

std::shared_ptr<TextLine> make_serial_text_line(std::string device, const transport::SerialSettings& settings,
                                                base::Clock& clock) {
  return std::make_shared<TextLine>(transport::make_serial_stream(std::move(device), settings, clock), clock);
}

}  // namespace cyclerd::scpi
