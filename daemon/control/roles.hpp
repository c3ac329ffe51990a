// Who is at the other end of a local socket, and what that person may do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"

namespace cyclerd::control {

// Each role may do what the ones before it may.
enum class Role : std::uint8_t {
  none = 0,   // may stop, and nothing else
  viewer,     // may read
  operator_,  // may start, pause, resume, skip and acknowledge
  engineer,   // may change profiles and limits inside the station's bounds
  admin,      // may do everything
};
[[nodiscard]] std::string_view to_string(Role role) noexcept;

// Names of Unix groups that give a role. Groups that do not exist give nothing to nobody.
struct RoleConfig {
  std::vector<std::string> viewer_groups{"cyclerd-viewer"};
  std::vector<std::string> operator_groups{"cyclerd-operator"};
  std::vector<std::string> engineer_groups{"cyclerd-engineer"};
  std::vector<std::string> admin_groups{"cyclerd-admin"};
  Role everybody = Role::viewer;    // of a peer in none of them; the socket's file mode has already let it in
  bool root_and_self_admin = true;  // uid 0 and the daemon's own uid; off only in tests
};

// A peer as the kernel knew it when it connected. Never authorise by pid: pids are reused.
struct Peer {
  int pid = 0;
  unsigned uid = 0;
  unsigned gid = 0;
  std::vector<unsigned> groups;  // supplementary
  std::string user;              // name of uid, or its number
};

// SO_PEERCRED and SO_PEERGROUPS of a connected AF_UNIX socket.
[[nodiscard]] base::Result<Peer> read_peer(int descriptor);

// The highest role that the peer's groups give. Looks groups up in the system's database: not for real-time threads.
[[nodiscard]] Role role_of(const Peer& peer, const RoleConfig& config, unsigned own_uid);

}  // namespace cyclerd::control
