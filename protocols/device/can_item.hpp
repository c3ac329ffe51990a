// How an instrument on a CAN bus says and takes its values: the frames of a description.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/base/time.hpp"
#include "protocols/dbc/dbc.hpp"

namespace cyclerd::device {

// An identifier, or one that a site parameter (a node's or module's number) completes: base + (parameter << shift).
struct CanId {
  std::uint32_t base = 0;
  bool extended = false;
  int parameter = -1;
  std::uint8_t shift = 0;
};

// A byte that a frame must have at this place; the bits of `mask` count.
struct CanByte {
  std::uint8_t value = 0;
  std::uint8_t mask = 0xFF;
};

struct CanMessage {
  std::string name;
  CanId id;
  dbc::Message content;  // length and signals; of a DBC file, or those that items lay out
  // Received: frames with this identifier that begin with `match`.
  std::vector<CanByte> match;
  base::Duration stale_after = base::seconds(3);
  bool asked_for = false;  // comes only as the answer to `request`
  CanId request_id;
  std::vector<std::uint8_t> request;
  // Sent: when one of its items is written, and again each `cycle`.
  bool sent = false;
  std::vector<std::uint8_t> data;  // what stands where no item lies
  base::Duration cycle;            // 0: only when written
};

// [can]
struct CanLayer {
  std::string dbc;            // file beside the description
  std::uint32_t bitrate = 0;  // what the instrument is set to; 0: not said
  std::vector<CanMessage> messages;
};

// The CAN part of an Item: a signal of a message.
struct CanItem {
  int message = -1;
  int signal = -1;
};

}  // namespace cyclerd::device
