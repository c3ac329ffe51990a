// Small programs by hand, for tests of what runs them: no TOML, no compiler. Numbers in SI.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "profiles/evaluate.hpp"
#include "profiles/program.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::test {

using profiles::ExpressionRef;
using profiles::Live;
using profiles::Op;
using profiles::Program;
using profiles::Step;
using profiles::StepKind;
using profiles::Then;

// Expressions as instruction lists; they read like the profile's own: `at_least(Live::voltage, 4.2)`.
using Expr = std::vector<profiles::Instruction>;

inline Expr num(double value) {
  return {{Op::constant, 0, 0, 0, value}};
}
inline Expr live(Live quantity) {
  return {{Op::load, static_cast<std::uint8_t>(quantity), 0, 0, 0.0}};
}
inline Expr variable(std::uint8_t index) {
  return {{Op::variable, index, 0, 0, 0.0}};
}
inline Expr result(std::uint32_t slot) {
  return {{Op::result, 0, 0, slot, 0.0}};
}
inline Expr unary(Op op, Expr a) {
  a.push_back({op, 0, 0, 0, 0.0});
  return a;
}
inline Expr binary(Op op, Expr a, const Expr& b) {
  a.insert(a.end(), b.begin(), b.end());
  a.push_back({op, 0, 0, 0, 0.0});
  return a;
}
inline Expr at_least(Live quantity, double bound) {
  return binary(Op::greater_equal, live(quantity), num(bound));
}
inline Expr at_most(Live quantity, double bound) {
  return binary(Op::less_equal, live(quantity), num(bound));
}
inline Expr current_below(double bound_A) {
  return binary(Op::less_equal, unary(Op::abs, live(Live::current)), num(bound_A));
}

struct Until {
  Expr when;
  Then then = Then::next;
  base::Duration dwell{};
  std::string target{};  // name of a step
  std::string text{};
  std::string reason{};
};
inline Until after_seconds(double s, Then then = Then::next) {
  return {at_least(Live::time, s), then, {}, {}, "time >= " + std::to_string(s) + " s"};
}

class ProgramBuilder {
 public:
  ProgramBuilder() {
    program_.name = "by hand";
    program_.compiled_sha256 = "0123456789abcdef";
    program_.strings = {""};
    program_.records.push_back({});
    program_.nominal_capacity_C = 18000.0;  // 5 Ah
    program_.initial_soc = 0.5;
    program_.scan = base::milliseconds(100);
    program_.envelope = {4.25, 2.4, 10.0, -10.0, 40.0, -40.0};
  }

  Program& program() { return program_; }

  // The step that the following with_...() and until() calls are about.
  ProgramBuilder& step(StepKind kind, const std::string& name, int sign = 0) {
    Step s;
    s.kind = kind;
    s.sign = static_cast<std::int8_t>(sign);
    s.name = text(name);
    s.type = text(kind == StepKind::rest ? "REST" : "STEP");
    s.parent = open_.empty() ? profiles::kNoStep : open_.back();
    s.first_condition = static_cast<std::uint32_t>(program_.conditions.size());
    s.first_store = static_cast<std::uint32_t>(program_.stores.size());
    s.record = record_;
    program_.steps.push_back(s);
    named_[name] = static_cast<std::uint32_t>(program_.steps.size() - 1);
    return *this;
  }
  ProgramBuilder& rest(const std::string& name) { return step(StepKind::rest, name); }
  ProgramBuilder& charge(const std::string& name, double current_A) {
    return step(StepKind::current, name, +1).with(&Step::current, num(current_A));
  }
  ProgramBuilder& discharge(const std::string& name, double current_A) {
    return step(StepKind::current, name, -1).with(&Step::current, num(current_A));
  }
  ProgramBuilder& with(ExpressionRef Step::*field, const Expr& e) {
    last().*field = add(e);
    return *this;
  }
  ProgramBuilder& until(const Until& u) {
    profiles::Condition c;
    c.when = add(u.when);
    c.then = u.then;
    c.dwell = u.dwell;
    c.text = text(u.text.empty() ? "condition " + std::to_string(program_.conditions.size()) : u.text);
    c.reason = u.reason.empty() ? 0 : text(u.reason);
    if (u.then == Then::go_to) targets_.emplace_back(program_.conditions.size(), u.target);
    program_.conditions.push_back(c);
    ++last().condition_count;
    return *this;
  }
  ProgramBuilder& until(const Expr& when, Then then = Then::next) { return until(Until{when, then, {}, {}, {}, {}}); }
  ProgramBuilder& for_seconds(double s) { return until(after_seconds(s)); }
  ProgramBuilder& store(profiles::ResultOf quantity, profiles::ResultPick pick, std::uint32_t slot,
                        std::uint32_t nth = 0) {
    program_.stores.push_back({slot, quantity, pick, 0, nth});
    ++last().store_count;
    program_.result_slots = std::max(program_.result_slots, slot + 1);
    return *this;
  }

  ProgramBuilder& repeat(const std::string& name, const Expr& count = {}) {
    step(StepKind::repeat_begin, name);
    if (!count.empty()) with(&Step::count, count);
    open_.push_back(static_cast<std::uint32_t>(program_.steps.size() - 1));
    return *this;
  }
  ProgramBuilder& end_repeat() {
    const std::uint32_t begin = open_.back();
    open_.pop_back();
    step(StepKind::repeat_end, "end of " + std::to_string(begin));
    last().peer = begin;
    program_.steps[begin].peer = static_cast<std::uint32_t>(program_.steps.size() - 1);
    return *this;
  }
  ProgramBuilder& advance_cycle() { return step(StepKind::advance_cycle, "advance"); }
  ProgramBuilder& set(std::uint32_t index, const Expr& value) {
    step(StepKind::set, "set").with(&Step::value, value);
    last().variable = index;
    if (program_.initial_variables.size() <= index) program_.initial_variables.resize(index + 1, 0.0);
    return *this;
  }
  // The record rule of the steps that follow.
  ProgramBuilder& record(const profiles::RecordRule& rule) {
    program_.records.push_back(rule);
    record_ = static_cast<std::uint32_t>(program_.records.size() - 1);
    return *this;
  }
  std::uint32_t waveform(profiles::Waveform w) {
    program_.waveforms.push_back(std::move(w));
    return static_cast<std::uint32_t>(program_.waveforms.size() - 1);
  }

  Step& last() { return program_.steps.back(); }
  [[nodiscard]] std::uint32_t index(const std::string& name) const { return named_.at(name); }

  std::shared_ptr<const Program> build() {
    ENSURE(open_.empty(), "a repeat is still open");
    step(StepKind::end, "end");
    for (const auto& [condition, name] : targets_) program_.conditions[condition].target = named_.at(name);
    const char* wrong = profiles::malformed(program_);
    ENSURE(wrong == nullptr, wrong);
    return std::make_shared<const Program>(program_);
  }

 private:
  std::uint32_t text(const std::string& words) {
    program_.strings.push_back(words);
    return static_cast<std::uint32_t>(program_.strings.size() - 1);
  }
  ExpressionRef add(const Expr& e) {
    const ExpressionRef ref{static_cast<std::uint32_t>(program_.code.size()), static_cast<std::uint32_t>(e.size())};
    program_.code.insert(program_.code.end(), e.begin(), e.end());
    return ref;
  }

  Program program_;
  std::vector<std::uint32_t> open_;
  std::map<std::string, std::uint32_t> named_;
  std::vector<std::pair<std::size_t, std::string>> targets_;
  std::uint32_t record_ = 0;
};

}  // namespace cyclerd::test
