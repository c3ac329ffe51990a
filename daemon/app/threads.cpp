#include "daemon/app/threads.hpp"

#include <alloca.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "protocols/base/check.hpp"

namespace cyclerd::app {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackFactor = 4;  // instrumented frames are several times larger
#else
constexpr std::size_t kStackFactor = 1;
#endif

bool take_fifo(int priority) {
  sched_param parameters{};
  parameters.sched_priority = priority;
  // Children would inherit the class; the daemon starts none, and none should.
  return pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0 ||
         pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

bool take_cpus(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return false;
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

// Touches the stack once, so that its pages are there before the first deadline.
__attribute__((noinline)) void touch_stack(std::size_t bytes) {
  auto* room = static_cast<volatile char*>(alloca(bytes));
  for (std::size_t i = 0; i < bytes; i += 4096) room[i] = 0;
}

}  // namespace

struct Thread::Shared {
  ThreadOptions options;
  std::function<void()> body;
  sem_t ready{};
  bool fifo_refused = false;
  bool affinity_refused = false;
};

Thread::Thread() : shared_(std::make_unique<Shared>()) {
  sem_init(&shared_->ready, 0, 0);
}

Thread::~Thread() {
  join();
  sem_destroy(&shared_->ready);
}

void* Thread::enter(void* argument) {
  auto& shared = *static_cast<Shared*>(argument);
  const ThreadOptions& options = shared.options;
  pthread_setname_np(pthread_self(), options.name.substr(0, 15).c_str());
  if (!options.affinity.empty()) shared.affinity_refused = !take_cpus(options.affinity);
  if (options.fifo_priority > 0) {
    shared.fifo_refused = !take_fifo(options.fifo_priority);
    prctl(PR_SET_TIMERSLACK,
          1UL);  // 1 ns; the default of 50 us would delay every wake-up of a thread left in SCHED_OTHER
    touch_stack(options.stack_bytes / 2);
  }
  sem_post(&shared.ready);
  shared.body();
  return nullptr;
}

base::Result<std::unique_ptr<Thread>> Thread::start(ThreadOptions options, std::function<void()> body) {
  std::unique_ptr<Thread> thread(new Thread());
  const std::size_t stack_bytes = options.stack_bytes * kStackFactor;
  thread->shared_->options = std::move(options);
  thread->shared_->body = std::move(body);

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // The signals of a crash stay open: they must end the process at once.
  for (const int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, fatal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&thread->handle_, &attributes, &Thread::enter, thread->shared_.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    return base::failure(base::ErrorCode::permission, thread->shared_->options.name,
                         fmt::format("cannot start the thread ({}); raise LimitMEMLOCK= to infinity, or set [realtime] "
                                     "lock_memory = false",
                                     std::strerror(error)));
  }
  thread->joined_ = false;
  while (sem_wait(&thread->shared_->ready) != 0) {
  }
  return thread;
}

void Thread::join() {
  if (joined_) return;
  joined_ = true;
  pthread_join(handle_, nullptr);
}

bool Thread::fifo_refused() const noexcept {
  return shared_->fifo_refused;
}
bool Thread::affinity_refused() const noexcept {
  return shared_->affinity_refused;
}

base::Result<std::unique_ptr<Worker>> Worker::start(ThreadOptions options, std::size_t max_waiting) {
  std::unique_ptr<Worker> worker(new Worker(max_waiting));
  TRY_ASSIGN(worker->thread_, Thread::start(std::move(options), [self = worker.get()] { self->run(); }));
  return worker;
}

Worker::~Worker() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  if (thread_) thread_->join();
}

bool Worker::post(std::function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    if (ending_ || jobs_.size() >= max_waiting_) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

bool make_this_thread_realtime(const ThreadOptions& options) {
  pthread_setname_np(pthread_self(), options.name.substr(0, 15).c_str());
  if (!options.affinity.empty()) take_cpus(options.affinity);
  prctl(PR_SET_TIMERSLACK, 1UL);
  return take_fifo(options.fifo_priority);
}

void run_in_parallel(std::vector<std::function<void()>> jobs) {
  if (jobs.empty()) return;
  std::vector<std::unique_ptr<Thread>> threads;
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    auto thread = Thread::start({.name = fmt::format("safe-{}", i), .fifo_priority = 0, .affinity = {}}, jobs[i]);
    if (thread) {
      threads.push_back(std::move(*thread));
    } else {
      jobs[i]();  // no thread to be had: one after the other is still better than not at all
    }
  }
  jobs.front()();
}

}  // namespace cyclerd::app
