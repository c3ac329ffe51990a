// The words behind `cyclerctl remote`, for options.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>

#include "daemon/ctl/options.hpp"

namespace cyclerd::ctl {

// Adds a command below `remote`, with examples.
using AddCommand = std::function<CLI::App*(const char* name, const char* what, std::initializer_list<const char*>)>;
void add_remote_commands(const AddCommand& add, Options& options);

}  // namespace cyclerd::ctl
