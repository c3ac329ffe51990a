// Reads flatbuffers tables out of bytes that may be anything: every access is checked, a bad one gives the default and
// is remembered. No alignment is assumed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace cyclerd::record {

class FlatView {
 public:
  explicit FlatView(std::span<const std::byte> bytes) : bytes_(bytes) {}

  struct Table {
    std::size_t at = 0;  // 0: absent
    std::size_t vtable = 0;
    std::size_t vtable_bytes = 0;
    [[nodiscard]] bool present() const noexcept { return at != 0; }
  };
  struct Vector {
    std::size_t at = 0;  // of the first element
    std::size_t size = 0;
  };

  [[nodiscard]] bool bad() const noexcept { return bad_; }

  Table root() { return table_at(load<std::uint32_t>(0)); }

  template <class T>
  T scalar(const Table& t, int slot, T absent) {
    const std::size_t at = place(t, slot);
    return at == 0 ? absent : load<T>(at);
  }
  Table table(const Table& t, int slot) {
    const std::size_t at = place(t, slot);
    return at == 0 ? Table{} : table_at(at + load<std::uint32_t>(at));
  }
  Vector vector(const Table& t, int slot, std::size_t element_bytes) {
    const std::size_t at = place(t, slot);
    if (at == 0) return {};
    const std::size_t start = at + load<std::uint32_t>(at);
    const std::size_t size = load<std::uint32_t>(start);
    if (bad_ || size > (bytes_.size() - start - 4) / element_bytes) return fail(Vector{});
    return {start + 4, size};
  }
  Table element(const Vector& v, std::size_t i) {
    const std::size_t at = v.at + 4 * i;
    return table_at(at + load<std::uint32_t>(at));
  }
  std::string_view text(const Table& t, int slot) {
    const Vector v = vector(t, slot, 1);
    return {reinterpret_cast<const char*>(bytes_.data()) + v.at, v.size};
  }
  template <class T>
  T load(std::size_t at) {
    T value{};
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return fail(value);
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }

 private:
  template <class T>
  T fail(T value) {
    bad_ = true;
    return value;
  }
  Table table_at(std::size_t at) {
    const auto back = load<std::int32_t>(at);
    const auto vtable = static_cast<std::int64_t>(at) - back;
    if (bad_ || at == 0 || vtable < 0 || vtable > static_cast<std::int64_t>(bytes_.size())) return fail(Table{});
    const auto v = static_cast<std::size_t>(vtable);
    const std::size_t n = load<std::uint16_t>(v);
    if (bad_ || n < 4 || n > bytes_.size() - v) return fail(Table{});
    return {at, v, n};
  }
  // Where a field lies; 0: absent.
  std::size_t place(const Table& t, int slot) {
    const auto entry = static_cast<std::size_t>(4 + 2 * slot);
    if (!t.present() || entry + 2 > t.vtable_bytes) return 0;
    const std::size_t offset = load<std::uint16_t>(t.vtable + entry);
    return offset == 0 ? 0 : t.at + offset;
  }

  std::span<const std::byte> bytes_;
  bool bad_ = false;
};

}  // namespace cyclerd::record
