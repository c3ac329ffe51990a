#include "daemon/control/roles.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cyclerd::control {
namespace {

// A group that every Debian system has, and its number here.
constexpr const char* kGroup = "daemon";
unsigned group_number() {
  return getgrnam(kGroup)->gr_gid;
}

Peer somebody() {
  Peer peer;
  peer.uid = 12'345;
  peer.gid = 12'345;
  return peer;
}

TEST(RoleOf, RootAndTheDaemonItselfAreAdmin) {
  Peer peer = somebody();
  EXPECT_EQ(role_of(peer, {}, 12'345), Role::admin);
  peer.uid = 0;
  EXPECT_EQ(role_of(peer, {}, 12'345), Role::admin);
  RoleConfig strict;
  strict.root_and_self_admin = false;
  EXPECT_EQ(role_of(peer, strict, 0), Role::viewer);
}

TEST(RoleOf, PrimaryAndSupplementaryGroupsCount) {
  RoleConfig config;
  config.operator_groups = {"no-such-group", kGroup};
  Peer peer = somebody();
  EXPECT_EQ(role_of(peer, config, 1), Role::viewer);
  peer.groups = {5, group_number()};
  EXPECT_EQ(role_of(peer, config, 1), Role::operator_);
  peer.groups.clear();
  peer.gid = group_number();
  EXPECT_EQ(role_of(peer, config, 1), Role::operator_);
}

TEST(RoleOf, TheHighestRoleWins) {
  RoleConfig config;
  config.viewer_groups = config.operator_groups = config.engineer_groups = {kGroup};
  Peer peer = somebody();
  peer.groups = {group_number()};
  EXPECT_EQ(role_of(peer, config, 1), Role::engineer);
  config.admin_groups = {kGroup};
  EXPECT_EQ(role_of(peer, config, 1), Role::admin);
}

TEST(RoleOf, EverybodyMayBeNobody) {
  RoleConfig config;
  config.everybody = Role::none;
  EXPECT_EQ(role_of(somebody(), config, 1), Role::none);
}

TEST(ReadPeer, TellsOurOwnCredentialsAndGroups) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const auto peer = read_peer(ends[0]);
  ASSERT_TRUE(peer) << peer.error().text();
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peer->uid, geteuid());
  EXPECT_EQ(peer->gid, getegid());
  EXPECT_EQ(static_cast<int>(peer->groups.size()), getgroups(0, nullptr));
  close(ends[0]);
  close(ends[1]);
}

TEST(ReadPeer, SaysWhatFailed) {
  const auto peer = read_peer(-1);
  ASSERT_FALSE(peer);
  EXPECT_NE(peer.error().text().find("SO_PEERCRED"), std::string::npos);
}

}  // namespace
}  // namespace cyclerd::control
