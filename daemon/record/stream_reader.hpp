// Reads rows.arrows back, checking every checksum. Any input is safe: torn, flipped, or something else altogether.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "daemon/record/table.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::record {

struct StreamReport {
  std::uint64_t rows = 0;
  std::uint64_t batches = 0;
  std::uint64_t last_sequence = 0;  // of the newest row's journal frame
  std::uint64_t good_bytes = 0;     // up to the end of the last message before the first damage; the end mark left out
  std::uint64_t torn_bytes = 0;     // an incomplete message at the end
  bool has_schema = false;
  bool ended = false;               // the end mark is there
  std::vector<std::string> damage;  // messages that do not check; those behind them are read when they can be found
};

using RowSink = std::function<void(std::span<const TableRow>)>;  // one batch; valid during the call

// `sink` may be empty. Damage is in the report, never an exception.
StreamReport read_stream(std::span<const std::byte> bytes, const RowSink& sink);

struct StreamContent {
  std::vector<TableRow> rows;
  StreamReport report;
};
base::Result<StreamContent> read_stream_file(const std::string& path);

}  // namespace cyclerd::record
