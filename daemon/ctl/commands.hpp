// The commands. Each returns the exit code; results go to io.out, messages to io.err.
#pragma once

#include <string>
#include <vector>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/options.hpp"
#include "daemon/ctl/terminal.hpp"

namespace cyclerd::ctl {

// The whole program after main(): parses, runs, reports.
int run(const std::vector<std::string>& arguments, const std::string& environment_socket, Io& io);

// Channels
int start_command(const Options& options, Io& io);
int amend_command(const Options& options, Io& io);
int change_command(const Options& options, Io& io);  // pause, resume, skip, stop, ack
int status_command(const Options& options, Io& io);
int watch_command(const Options& options, Io& io);
// Station
int devices_command(const Options& options, Io& io);
int tests_command(const Options& options, Io& io);
int version_command(const Options& options, Io& io);
int doctor_command(const Options& options, Io& io);
// Instruments
int device_check_command(const Options& options, Io& io);
int device_show_command(const Options& options, Io& io);
int device_new_command(const Options& options, Io& io);
int device_probe_command(const Options& options, Io& io);
// A vendor's server
int remote_status_command(const Options& options, Io& io);
int remote_start_command(const Options& options, Io& io);
int remote_stop_command(const Options& options, Io& io);
int remote_fetch_command(const Options& options, Io& io);
int remote_log_command(const Options& options, Io& io);
// Profiles
int check_command(const Options& options, Io& io);
int simulate_command(const Options& options, Io& io);
int expand_command(const Options& options, Io& io);
int format_command(const Options& options, Io& io);
int import_command(const Options& options, Io& io);
int export_profile_command(const Options& options, Io& io);
// Results
int summary_command(const Options& options, Io& io);
int export_command(const Options& options, Io& io);
int plot_command(const Options& options, Io& io);

// Shared by them
// What app::describe_findings gives, as --json shows it: README.md, "check --json".
Json findings_json(const Json& described);
// Draws what --svg, --png and --terminal ask for; 0, or an exit code after reporting.
int plot_files(const std::string& folder, const Options& options, Io& io);
// Prints why, in words (with --json: as one JSON object a line) on io.err.
int report(const Trouble& trouble, const Options& options, Io& io);
void print(std::FILE* stream, const std::string& text);
void print_json(std::FILE* stream, const Json& value);  // one document, indented
Outcome<Client> connect(const Options& options, Io& io);
// Adds "did you mean" when the trouble is a channel that does not exist.
Trouble explain_channel(Trouble trouble, Client& client, const std::string& channel);
// True when the person typed `word`, or said --yes; with neither a terminal nor --yes: false, after telling why.
bool confirm(const std::string& question, const std::string& word, const Options& options, Io& io);
// Waits for the end of a test (`test` null: whichever runs), showing it as watch does.
int follow_channel(Client& client, const std::string& channel, const Json& test, const Options& options, Io& io);

}  // namespace cyclerd::ctl
