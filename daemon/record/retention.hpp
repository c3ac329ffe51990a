// Which journal segments are still needed. A segment goes when every test with frames in it has ended and its files
// were synced; two are always kept. Recorder thread only.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace cyclerd::record {

class Retention {
 public:
  explicit Retention(std::string directory) : directory_(std::move(directory)) {}
  void load(std::map<std::uint32_t, std::set<std::uint64_t>> segments) { needed_ = std::move(segments); }
  void uses(std::uint32_t segment, std::uint64_t test);
  void released(std::uint64_t test);
  [[nodiscard]] bool any_unneeded() const noexcept;
  // Removes what nobody needs, oldest first.
  void remove_unneeded();

 private:
  static constexpr std::size_t kKeep = 2;
  std::string directory_;
  std::map<std::uint32_t, std::set<std::uint64_t>> needed_;
};

}  // namespace cyclerd::record
