#include "daemon/app/resources.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace cyclerd::app {
namespace fs = std::filesystem;

Resources find_resources() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path share = program.parent_path().parent_path() / "share" / "cyclerd";
  if (!error && fs::is_directory(share / "devices", error)) {
    return {share / "devices", share / "profiles", share / "profiles" / "waveforms", share / "cells"};
  }
  const fs::path source = CYCLERD_SOURCE_DIR;
  return {source / "protocols" / "devices", source / "profiles" / "library",
          source / "profiles" / "library" / "waveforms", source / "profiles" / "cells"};
}

std::string version() {
  return fmt::format("cyclerd {}", CYCLERD_VERSION);
}

namespace {

// The first loaded object is the program itself; its note segment carries what the linker wrote with --build-id.
int find_note(dl_phdr_info* info, std::size_t, void* out) {
  auto& id = *static_cast<std::string*>(out);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    // The loader's own addresses: integer to pointer is what its interface gives.
    const auto* at = reinterpret_cast<const unsigned char*>(info->dlpi_addr + header.p_vaddr);
    const auto* end = at + header.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const unsigned char* name = at + sizeof note;
      const unsigned char* bytes = name + ((note.n_namesz + 3U) & ~3U);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        for (unsigned k = 0; k < note.n_descsz; ++k) id += fmt::format("{:02x}", bytes[k]);
        return 1;
      }
      at = bytes + ((note.n_descsz + 3U) & ~3U);
    }
  }
  return 1;
}

}  // namespace

std::string build_id() {
  std::string id;
  dl_iterate_phdr(&find_note, &id);
  return id.empty() ? "unknown" : id;
}

}  // namespace cyclerd::app
