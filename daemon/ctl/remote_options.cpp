#include "daemon/ctl/remote_options.hpp"

#include <limits>

namespace cyclerd::ctl {

namespace {

void add_server(CLI::App* command, Options& options, bool needs_channel) {
  command->add_option("--server", options.remote.server, "The vendor's server (port 502)")
      ->type_name("HOST[:PORT]")
      ->required();
  command->add_option("--user", options.remote.user, "Name for the login")->type_name("NAME")->required();
  command
      ->add_option("--password-file", options.remote.password_file,
                   "File with the password (or CYCLERD_REMOTE_PASSWORD)")
      ->type_name("FILE");
  command->add_option("--timeout", options.remote.timeout_s, "Seconds that an answer may take (30)")
      ->check(CLI::Range(0.1, 600.0));
  auto* channel =
      command->add_option("--channel", options.channel, "Device, sub-device and channel, for example 13-5-8")
          ->type_name("D-S-C");
  if (needs_channel) channel->required();
}

}  // namespace

void add_remote_commands(const AddCommand& add, Options& options) {
  auto* status = add("status", "Every channel of the server, or one",
                     {"remote status --server cycler-pc --user lab --password-file ~/.bts",
                      "remote status --server 10.0.0.9 --user lab --password-file ~/.bts --channel 13-5-8 --json"});
  add_server(status, options, false);

  auto* start = add("start", "Give a free channel a whole test",
                    {"remote start 'C:\\tests\\formation.xml' --channel 13-5-8 --barcode LGM50-0042 --server cycler-pc "
                     "--user lab --password-file ~/.bts"});
  start->add_option("schedule", options.remote.schedule, "Path of the schedule on the server's computer")->required();
  start->add_option("--barcode", options.remote.barcode, "Name of this very cell")->type_name("TEXT");
  start->add_option("--backup", options.remote.backup_folder, "Folder on the server's computer for its own data files")
      ->type_name("PATH");
  add_server(start, options, true);

  auto* stop = add("stop", "Stop the test of a channel and see that it stopped; never asks",
                   {"remote stop --channel 13-5-8 --server cycler-pc --user lab --password-file ~/.bts"});
  add_server(stop, options, true);

  auto* fetch =
      add("fetch", "Points of a channel's latest test as CSV with BDF column names",
          {"remote fetch --channel 13-5-8 --out cell42.csv --server cycler-pc --user lab --password-file ~/.bts",
           "remote fetch --channel 13-5-8 --last 1000 --server cycler-pc --user lab --password-file ~/.bts"});
  auto* last = fetch->add_option("--last", options.remote.last, "Only so many points from the end")->type_name("N");
  auto* from =
      fetch->add_option("--from", options.remote.from, "Only from this point on, counted from 1")->type_name("N");
  auto* count = fetch->add_option("--count", options.remote.count, "With --from: at most so many")->type_name("N");
  const CLI::Range any(std::int64_t{1}, std::numeric_limits<std::int64_t>::max());
  last->check(any)->excludes(from)->excludes(count);
  from->check(any);
  count->check(any)->needs(from);
  fetch->add_option("--out", options.out, "Write it here (stdout)")->type_name("FILE");
  add_server(fetch, options, true);

  auto* log = add("log", "What the server noted during a channel's latest test, with the vendor's codes",
                  {"remote log --channel 13-5-8 --server cycler-pc --user lab --password-file ~/.bts"});
  add_server(log, options, true);
}

}  // namespace cyclerd::ctl
