#include "daemon/control/roles.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

namespace cyclerd::control {

namespace {

constexpr std::size_t kNameBuffer = 64 * 1024;  // a group's entry lists its members

std::optional<unsigned> group_id(const std::string& name) {
  std::vector<char> buffer(kNameBuffer);
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return entry.gr_gid;
}

std::string user_name(unsigned uid) {
  std::vector<char> buffer(kNameBuffer);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::to_string(uid);
  }
  return entry.pw_name;
}

bool member_of_any(const Peer& peer, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto id = group_id(name);
    if (!id) return false;
    return peer.gid == *id || std::find(peer.groups.begin(), peer.groups.end(), *id) != peer.groups.end();
  });
}

}  // namespace

std::string_view to_string(Role role) noexcept {
  static constexpr std::array<std::string_view, 5> kNames{"none", "viewer", "operator", "engineer", "admin"};
  return kNames.at(static_cast<std::size_t>(role));
}

base::Result<Peer> read_peer(int descriptor) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return base::failure(base::ErrorCode::io, "control socket",
                         fmt::format("SO_PEERCRED: {}", std::generic_category().message(errno)));
  }
  Peer peer;
  peer.pid = credentials.pid;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.user = user_name(peer.uid);
  // SO_PEERCRED tells the primary group only. The kernel answers ERANGE with the size it needs.
  std::vector<gid_t> groups(64);
  for (int attempt = 0; attempt < 2; ++attempt) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      peer.groups.assign(groups.begin(), groups.end());
      return peer;
    }
    if (errno != ERANGE) break;
    groups.resize(size / sizeof(gid_t) + 1);
  }
  return base::failure(base::ErrorCode::io, "control socket",
                       fmt::format("SO_PEERGROUPS: {}", std::generic_category().message(errno)));
}

Role role_of(const Peer& peer, const RoleConfig& config, unsigned own_uid) {
  if (config.root_and_self_admin && (peer.uid == 0 || peer.uid == own_uid)) return Role::admin;
  if (member_of_any(peer, config.admin_groups)) return Role::admin;
  if (member_of_any(peer, config.engineer_groups)) return Role::engineer;
  if (member_of_any(peer, config.operator_groups)) return Role::operator_;
  if (member_of_any(peer, config.viewer_groups)) return std::max(Role::viewer, config.everybody);
  return config.everybody;
}

}  // namespace cyclerd::control
