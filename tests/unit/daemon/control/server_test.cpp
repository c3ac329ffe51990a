// The real socket, one server thread, clients made of plain system calls. Waits only for bytes or for end of file.
#include "daemon/control/server.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <atomic>

#include <future>

#include "tests/unit/daemon/control/fake_station.hpp"

namespace cyclerd::control {
namespace {

constexpr int kPatience_ms = 20'000;

class RawClient {
 public:
  explicit RawClient(const std::string& path, int receive_bytes = 0) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    if (receive_bytes > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  ~RawClient() { die(); }

  [[nodiscard]] bool connected() const { return connected_; }
  void die() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void finish_writing() { shutdown(fd_, SHUT_WR); }
  bool send_bytes(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }
  bool call(const std::string& method, const Json& params = Json::object(), const Json& id = 1) {
    return send_bytes(Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump() + "\n");
  }
  // The next line as JSON; null at end of file, a string when nothing came in time.
  Json line() {
    for (;;) {
      const auto end = buffer_.find('\n');
      if (end != std::string::npos) {
        Json message = Json::parse(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        return message;
      }
      pollfd waiting{fd_, POLLIN, 0};
      if (poll(&waiting, 1, kPatience_ms) != 1) return "nothing came";
      char chunk[65536];
      const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0) return nullptr;
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }
  Json ask(const std::string& method, const Json& params = Json::object()) {
    call(method, params);
    return line();
  }

 private:
  int fd_;
  bool connected_ = false;
  std::string buffer_;
};

struct ServerTest : testing::Test {
  void SetUp() override {
    char folder[] = "/tmp/control-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    config.path = folder_ + "/control.sock";
  }
  void TearDown() override {
    stop();
    rmdir(folder_.c_str());
  }
  void serve() {
    auto opened = Server::open(config, station, [this](const AuditEntry& e) { audit.push_back(e.method); });
    ASSERT_TRUE(opened) << opened.error().text();
    server = std::move(*opened);
    thread = std::thread([this] { server->run(); });
  }
  void stop() {
    if (server) server->stop();
    if (thread.joinable()) thread.join();
    station.join();
    server.reset();
  }

  ServerConfig config;
  FakeStation station;
  std::vector<std::string> audit;  // of the control thread; read after stop()
  std::unique_ptr<Server> server;
  std::thread thread;
  std::string folder_;
};

TEST_F(ServerTest, TheSocketFileHasItsModeAndGoesAway) {
  serve();
  struct stat entry {};
  ASSERT_EQ(stat(config.path.c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 07777U, 0660U);
  stop();
  EXPECT_NE(stat(config.path.c_str(), &entry), 0);
}

TEST_F(ServerTest, TwoClientsAtOnce) {
  serve();
  RawClient a(config.path);
  RawClient b(config.path);
  EXPECT_EQ(a.ask("server.info")["result"]["station"], "bench-1");
  EXPECT_EQ(b.ask("start", {{"channel", "ch1"}, {"profile", "p"}, {"cell", "c"}})["result"]["test"], 42);
  const Json status = a.ask("status");
  EXPECT_EQ(status["result"]["channels"][0]["state"], "running");
  EXPECT_EQ(status["result"]["channels"][1]["state"], "safe");
  stop();
  EXPECT_EQ(audit, std::vector<std::string>{"start"});
}

TEST_F(ServerTest, AClientThatDiesChangesNothing) {
  serve();
  RawClient watcher(config.path);
  {
    RawClient dying(config.path);
    dying.call("subscribe", {{"interval_ms", 50}});
    EXPECT_TRUE(dying.line().contains("result"));
    // A torn request, then gone.
    dying.send_bytes(R"({"jsonrpc":"2.0","id":2,"method":"stop","params":{"channel":"ch1"}})");
  }
  EXPECT_EQ(watcher.ask("status")["result"]["channels"].size(), 2U);
  EXPECT_TRUE(station.requests().empty());
}

TEST_F(ServerTest, AClientThatAsksAndDiesIsCarriedOutAndForgotten) {
  serve();
  {
    RawClient hasty(config.path);
    hasty.call("stop", {{"channel", "ch1"}});
    hasty.finish_writing();
    EXPECT_TRUE(hasty.line().contains("result"));
    EXPECT_TRUE(hasty.line().is_null());  // then the server closes
  }
  EXPECT_EQ(station.requests(), std::vector<std::string>{"stop ch1"});
  RawClient next(config.path);
  EXPECT_TRUE(next.ask("status").contains("result"));
}

TEST_F(ServerTest, GarbageIsAnsweredAndTheConnectionLives) {
  serve();
  RawClient client(config.path);
  client.send_bytes(std::string("\0\xff{[nonsense\n\n  \r\n", 18));
  EXPECT_EQ(client.line()["error"]["code"], -32700);
  client.send_bytes("[1,2]\n");
  EXPECT_EQ(client.line()["error"]["code"], -32600);
  EXPECT_EQ(client.ask("dance")["error"]["code"], -32601);
  EXPECT_EQ(client.ask("stop", {{"channel", {{"a", 1}}}})["error"]["code"], -32602);
  EXPECT_TRUE(client.ask("status").contains("result"));
}

TEST_F(ServerTest, ALineAtTheLimitIsReadOneAboveIsNot) {
  config.max_line_bytes = 4096;
  serve();
  const auto padded = [](std::size_t bytes) {
    std::string line = R"({"jsonrpc":"2.0","id":1,"method":"server.info"})";
    return line.insert(1, bytes - line.size(), ' ') + "\n";
  };
  RawClient client(config.path);
  client.send_bytes(padded(4096));
  EXPECT_TRUE(client.line().contains("result"));
  client.send_bytes(padded(4097));
  EXPECT_EQ(client.line()["error"]["code"], -32600);
  EXPECT_TRUE(client.line().is_null());
  RawClient endless(config.path);
  endless.send_bytes(std::string(8192, 'x'));  // never a newline
  EXPECT_EQ(endless.line()["error"]["code"], -32600);
}

TEST_F(ServerTest, AReaderThatIsTooSlowIsDropped) {
  config.max_queue_bytes = 64 * 1024;
  serve();
  RawClient slow(config.path);
  bool alive = true;
  for (int i = 0; alive && i < 200'000; ++i) alive = slow.call("status");
  EXPECT_FALSE(alive);
  RawClient other(config.path);
  EXPECT_TRUE(other.ask("status").contains("result"));
}

TEST_F(ServerTest, StatusStreamsUntilUnsubscribed) {
  serve();
  RawClient client(config.path);
  const Json reply = client.ask("subscribe", {{"topic", "status"}, {"interval_ms", 50}, {"channel", "ch2"}});
  const auto number = reply["result"]["subscription"];
  for (int i = 0; i < 3; ++i) {
    const Json message = client.line();
    ASSERT_EQ(message["method"], "status");
    EXPECT_EQ(message["params"]["subscription"], number);
    EXPECT_EQ(message["params"]["status"]["channels"][0]["name"], "ch2");
  }
  station.set("ch2", "state", "running");
  client.call("unsubscribe", {{"subscription", number}}, "end");
  Json last;
  do {
    last = client.line();
  } while (last.is_object() && !last.contains("id"));
  EXPECT_EQ(last["id"], "end");
  EXPECT_TRUE(last.contains("result"));
  client.call("server.info");
  EXPECT_EQ(client.line()["result"]["station"], "bench-1");  // and nothing in between
  EXPECT_EQ(client.ask("unsubscribe", {{"subscription", number}})["error"]["data"]["exit_code"], 2);
  EXPECT_EQ(client.ask("subscribe", {{"channel", "ch9"}})["error"]["data"]["exit_code"], 2);
}

TEST_F(ServerTest, AViewerIsRefusedByTheRoleAndMayStop) {
  config.roles.root_and_self_admin = false;
  serve();
  RawClient client(config.path);
  const Json refused = client.ask("pause", {{"channel", "ch1"}});
  EXPECT_EQ(refused["error"]["data"]["exit_code"], 6);
  EXPECT_NE(refused["error"]["message"].get<std::string>().find("operator"), std::string::npos);
  EXPECT_TRUE(client.ask("status").contains("result"));
  EXPECT_TRUE(client.ask("stop", {{"channel", "ch1"}}).contains("result"));
}

TEST_F(ServerTest, WhenAllPlacesAreTakenAStopStillGetsThrough) {
  config.max_clients = 2;
  config.reserve_clients = 1;
  serve();
  RawClient a(config.path);
  RawClient b(config.path);
  EXPECT_TRUE(a.ask("server.info").contains("result"));
  EXPECT_TRUE(b.ask("server.info").contains("result"));
  RawClient c(config.path);
  EXPECT_EQ(c.ask("devices")["error"]["data"]["exit_code"], 5);
  EXPECT_TRUE(c.ask("stop", {{"channel", "ch2"}}).contains("result"));
  RawClient d(config.path);
  EXPECT_EQ(d.line()["error"]["code"], -32005);
  EXPECT_TRUE(d.line().is_null());
  EXPECT_EQ(server->clients(), 3U);
}

TEST_F(ServerTest, OneUserDoesNotTakeEveryPlace) {
  config.roles.root_and_self_admin = false;  // as for anybody else
  config.max_clients_of_user = 2;
  serve();
  RawClient a(config.path);
  RawClient b(config.path);
  EXPECT_TRUE(a.ask("server.info").contains("result"));
  EXPECT_TRUE(b.ask("server.info").contains("result"));
  RawClient c(config.path);
  EXPECT_EQ(c.line()["error"]["code"], -32005);
  EXPECT_TRUE(c.line().is_null());
  EXPECT_EQ(server->clients(), 2U);
}

struct SilentStation : FakeStation {
  void request(const std::string&, const std::string&, const std::string&, const Caller&, Done done) override {
    kept = std::move(done);
    ++asked;
  }
  Done kept;
  std::atomic<int> asked{0};
};

TEST_F(ServerTest, WhoAsksFasterThanTheStationAnswersWaits) {
  SilentStation silent;
  config.max_calls = 2;
  auto opened = Server::open(config, silent, nullptr);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  thread = std::thread([this] { server->run(); });
  RawClient eager(config.path);
  for (int i = 0; i < 5; ++i) eager.call("stop", {{"channel", "ch1"}}, i);
  RawClient other(config.path);
  // The other's requests pass; five of them are five turns of the loop.
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(other.ask("server.info").contains("result"));
  EXPECT_EQ(silent.asked, 2);
  silent.kept(Answer::ok("done"));
  EXPECT_EQ(eager.line()["id"], 1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(other.ask("server.info").contains("result"));
  EXPECT_EQ(silent.asked, 3) << "an answer makes room for one more";
  stop();
}

TEST_F(ServerTest, WhoMayOnlyStopSendsShortLines) {
  config.roles.root_and_self_admin = false;
  config.roles.everybody = Role::none;
  serve();
  RawClient client(config.path);
  EXPECT_TRUE(client.ask("stop", {{"channel", "ch1"}, {"reason", std::string(1000, 'r')}}).contains("result"));
  client.call("stop", {{"channel", "ch1"}, {"reason", std::string(70'000, 'r')}});
  EXPECT_EQ(client.line()["error"]["code"], -32600);
  EXPECT_TRUE(client.line().is_null());
}

TEST_F(ServerTest, ACallThatTheStationNeverAnswersTimesOut) {
  SilentStation silent;
  config.answer_timeout = base::milliseconds(20);
  auto opened = Server::open(config, silent, nullptr);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  thread = std::thread([this] { server->run(); });
  RawClient client(config.path);
  EXPECT_EQ(client.ask("stop", {{"channel", "ch1"}})["error"]["data"]["exit_code"], 9);
  stop();
  silent.kept(Answer::ok(1));  // later than the server's life: nobody hears it, nothing breaks
}

TEST_F(ServerTest, AStaleSocketFileIsReplacedALivingOneIsNot) {
  serve();
  const auto second = Server::open(config, station, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::busy);
  RawClient client(config.path);
  EXPECT_TRUE(client.ask("status").contains("result"));
  stop();
  // What a killed daemon leaves: a bound file that nobody listens on.
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  config.path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(dead);
  serve();
  RawClient again(config.path);
  EXPECT_TRUE(again.ask("status").contains("result"));
}

TEST_F(ServerTest, AFileThatIsNoSocketIsLeftAlone) {
  const int file = open(config.path.c_str(), O_CREAT | O_WRONLY, 0600);
  close(file);
  const auto refused = Server::open(config, station, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("not a socket"), std::string::npos);
  EXPECT_EQ(unlink(config.path.c_str()), 0);
}

TEST_F(ServerTest, APathThatIsTooLongIsNamed) {
  config.path = folder_ + "/" + std::string(120, 'x');
  const auto refused = Server::open(config, station, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::invalid);
}

}  // namespace
}  // namespace cyclerd::control
