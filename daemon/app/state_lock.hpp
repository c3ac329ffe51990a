// One daemon per state folder.
#pragma once

#include <string>

#include "protocols/base/result.hpp"

namespace cyclerd::app {

// Holds an advisory lock on STATE_DIR/lock; the kernel gives it back when the process ends, however it ends.
class StateLock {
 public:
  // Creates the folder if needed. Errors: busy (names the process that holds it), permission, io.
  static base::Result<StateLock> take(const std::string& state_dir);
  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&& other) noexcept;
  ~StateLock();

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace cyclerd::app
