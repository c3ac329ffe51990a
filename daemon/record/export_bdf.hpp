// A test as a file of the Battery Data Format (BDF 1.3, CSV flavour) with its metadata beside it. May run while the
// test does; reads the test's folder only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/base/result.hpp"

namespace cyclerd::record {

struct ExportOptions {
  std::string institution;  // code in the file's name; empty: metadata's, else "Lab"
  std::string cell;         // empty: metadata's, else "cell"
};

struct Exported {
  std::string csv_path;       // <Institution>__<Cell>__<YYYYMMDD>_<n>.bdf.csv
  std::string metadata_path;  // the same with .bdf.metadata.json
  std::uint64_t rows = 0;
  std::vector<std::string> warnings;  // damage found in the stream, in words
};

// `out`: a folder, or the file itself when it ends in ".csv". A second export of the same test replaces the first;
// other tests' files are never touched: n counts up.
base::Result<Exported> export_bdf_csv(const std::string& test_folder, const std::string& out,
                                      const ExportOptions& options = {});

}  // namespace cyclerd::record
