// Names and places of elements and attributes as two public clients send them to real servers (README.md).
#include "protocols/remote/bts_requests.hpp"

#include <fmt/format.h>

namespace cyclerd::remote::bts {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string message(std::string_view verb, std::string_view rest) {
  return fmt::format(R"(<?xml version="1.0" encoding="UTF-8" ?><bts version="1.0"><cmd>{}</cmd>{}</bts>)", verb, rest);
}

std::string numbers_of(const BtsChannel& c) {
  return fmt::format(R"(devtype="{}" devid="{}" subdevid="{}" chlid="{}")", c.type, c.id.device, c.id.sub_device,
                     c.id.channel);
}

std::string place_of(const BtsChannel& c) {
  return fmt::format(R"(ip="{}" {})", escaped(c.ip), numbers_of(c));
}

// `tail`: further attributes, each with a space before it.
std::string list(std::string_view element, std::span<const BtsChannel> channels, std::string_view tail) {
  std::string text = fmt::format(R"(<list count="{}">)", channels.size());
  for (const BtsChannel& c : channels) text += fmt::format("<{0} {1}{2}>true</{0}>", element, place_of(c), tail);
  return text + "</list>";
}

}  // namespace

std::string connect(std::string_view user, std::string_view password) {
  return message("connect", fmt::format("<username>{}</username><password>{}</password><type>bfgs</type>",
                                        escaped(user), escaped(password)));
}

std::string device_info() {
  return message("getdevinfo", "");
}

std::string about(std::string_view verb, std::span<const BtsChannel> channels) {
  return message(verb, list(verb == "getchlstatus" ? "status" : verb, channels, ""));
}

std::string inquire(std::span<const BtsChannel> channels) {
  return message("inquire", list("inquire", channels, R"( aux="0" barcode="1")"));
}

std::string start(const BtsChannel& channel, const Job& job) {
  std::string text = fmt::format(R"(<list count="1"><start {} barcode="{}">{}</start>)", place_of(channel),
                                 escaped(job.barcode), escaped(job.schedule_path));
  if (!job.backup_folder.empty()) {
    // What each attribute does beyond its name is known of filetype alone (0: the vendor's own format). The values are
    // those that one of the clients sends.
    text +=
        fmt::format(R"(<backup backupdir="{}" remotedir="" filenametype="0" customfilename="" addtimewhenrepeat="0" )"
                    R"(createdirbydate="0" filetype="0" backupontime="1" backupontimeinterval="720" backupfree="1" />)",
                    escaped(job.backup_folder));
  }
  return message("start", text + "</list>");
}

std::string stored(const BtsChannel& channel) {
  return message("inquiredf", fmt::format(R"(<list count="1"><chl {} testid="0" /></list>)", numbers_of(channel)));
}

std::string download(const BtsChannel& channel, std::int64_t first, std::int64_t count) {
  return message("download", fmt::format(R"(<download {} auxid="0" testid="0" startpos="{}" count="{}"/>)",
                                         numbers_of(channel), first, count));
}

std::string download_log(const BtsChannel& channel) {
  return message("downloadlog", fmt::format(R"(<download {} testid="0"/>)", numbers_of(channel)));
}

bool can_be_sent(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7F) return false;
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0U) != 0x80U) return false;
      point = point << 6U | (next & 0x3FU);
    }
    const bool too_long_a_form = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    const bool no_character = (point >= 0x80 && point < 0xA0) || (point >= 0xD800 && point < 0xE000) ||
                              point == 0xFFFE || point == 0xFFFF || point > 0x10FFFF;
    if (too_long_a_form || no_character) return false;
    i += length;
  }
  return true;
}

}  // namespace cyclerd::remote::bts
