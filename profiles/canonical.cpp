// One spelling for all profiles that mean the same, and the hashes.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "profiles/compile_parts.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::profiles {
namespace {

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  ENSURE(ok == 1, "libcrypto offers no SHA-256");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Collects `key = value` pairs of one inline table.
class Pairs {
 public:
  void text(const char* key, std::string_view value) {
    if (!value.empty()) add(key, quoted(value));
  }
  void expression(const char* key, const Expression& value) {
    if (value.given) add(key, quoted(canonical_text(value)));
  }
  void add(const char* key, const std::string& value) {
    body_ += fmt::format("{}{} = {}", body_.empty() ? "" : ", ", key, value);
  }
  [[nodiscard]] std::string table() const { return body_.empty() ? "{}" : "{ " + body_ + " }"; }
  [[nodiscard]] bool empty() const { return body_.empty(); }

 private:
  std::string body_;
};

const char* then_word(Then then) {
  switch (then) {
    case Then::next: return "next";
    case Then::go_to: return "goto";
    case Then::end: return "end";
    case Then::pause: return "pause";
    case Then::fail: return "fail";
    case Then::break_block: return "break";
  }
  return "next";
}

std::string until_list(const std::vector<ConditionSyntax>& list) {
  std::string body;
  for (const ConditionSyntax& condition : list) {
    Pairs pairs;
    pairs.expression("when", condition.when);
    const std::string target = condition.then == Then::go_to ? " " + condition.target : "";
    pairs.text("then", then_word(condition.then) + target);
    pairs.expression("for", condition.dwell);
    pairs.text("reason", condition.reason);
    body += (body.empty() ? "" : ", ") + pairs.table();
  }
  return "[" + body + "]";
}

std::string record_table(const RecordSyntax& record) {
  Pairs pairs;
  pairs.expression("every", record.every);
  pairs.expression("voltage", record.voltage);
  pairs.expression("current", record.current);
  pairs.expression("power", record.power);
  pairs.expression("temperature", record.temperature);
  pairs.expression("capacity", record.capacity);
  pairs.expression("energy", record.energy);
  pairs.expression("pretrigger", record.pretrigger);
  return pairs.table();
}

std::string impedance_table(const StepSyntax& step) {
  Pairs pairs;
  pairs.expression("current", step.current);
  pairs.expression("time", step.pulse_time);
  pairs.text("method", step.method == ResistanceMethod::end ? "end" : "sqrt");
  return "{ dcir = " + pairs.table() + " }";
}

std::string pulse_list(const std::vector<PulseSyntax>& pulses) {
  std::string body;
  for (const PulseSyntax& pulse : pulses) {
    Pairs pairs;
    pairs.expression("current", pulse.current);
    pairs.expression("power", pulse.power);
    pairs.expression("time", pulse.time);
    body += (body.empty() ? "" : ", ") + pairs.table();
  }
  return "[" + body + "]";
}

std::string control_table(const StepSyntax& step) {
  if (step.kind == StepKind::impedance) return impedance_table(step);
  Pairs pairs;
  if (!step.pulses.empty()) pairs.add("pulses", pulse_list(step.pulses));
  pairs.expression(step.kind == StepKind::follow ? "repeat" : "count", step.count);
  pairs.expression("from", step.ramp_from);
  pairs.expression("to", step.ramp_to);
  pairs.expression("rate", step.ramp_rate);
  pairs.expression("over", step.ramp_over);
  pairs.expression("current", step.current);
  pairs.expression("voltage", step.voltage);
  pairs.expression("power", step.power);
  pairs.expression("resistance", step.resistance);
  if (step.kind == StepKind::chamber) {
    pairs.expression("temperature", step.temperature);
    pairs.expression("ramp", step.chamber_ramp);
    if (step.soak_for.given) {
      Pairs soak;
      soak.expression("within", step.soak_within);
      soak.expression("for", step.soak_for);
      pairs.add("soak", soak.table());
    }
  }
  if (step.kind == StepKind::follow) {
    pairs.text("waveform", step.waveform);
    pairs.expression("scale", step.scale);
    pairs.expression("speed", step.speed);
    pairs.text("resample", step.resample == Resample::linear ? "linear" : "hold");
    pairs.text("clamp", step.clamp_to_envelope ? "limit" : "refuse");
  }
  pairs.text("message", step.message);
  if (step.kind == StepKind::repeat_begin && !step.until.empty()) pairs.add("until", until_list(step.until));
  return pairs.table();
}

std::string assignments_table(const StepSyntax& step) {
  Pairs pairs;
  pairs.text("procedure", step.procedure);
  pairs.text("mark", step.mark);
  for (const AssignmentSyntax& a : step.assignments) pairs.expression(a.name.c_str(), a.value);
  return pairs.table();
}

// The lines of a step, without the steps inside of it.
std::vector<std::string> step_lines(const StepSyntax& step) {
  std::vector<std::string> lines;
  const auto line = [&lines](const char* key, const std::string& value) {
    lines.push_back(fmt::format("{} = {}", key, value));
  };
  if (!step.name.empty()) line("name", quoted(step.name));
  const bool assigns = step.kind == StepKind::set || step.word == "call";
  line(step.word.c_str(), assigns ? assignments_table(step) : control_table(step));
  if (step.capacity != CapacityBase::inherit) {
    line("capacity", quoted(step.capacity == CapacityBase::measured ? "measured" : "nominal"));
  }
  if (step.kind != StepKind::chamber && step.temperature.given) {
    line("temperature", quoted(canonical_text(step.temperature)));
  }
  if (step.when.given) line("when", quoted(canonical_text(step.when)));
  if (step.kind != StepKind::repeat_begin && !step.until.empty()) line("until", until_list(step.until));
  if (step.record.given) line("record", record_table(step.record));
  return lines;
}

// On one line, for what stands too deep for a table of its own: keys have at most 32 dots.
std::string inline_steps(const std::vector<StepSyntax>& steps) {
  std::string body;
  for (const StepSyntax& step : steps) {
    std::vector<std::string> lines = step_lines(step);
    if (!step.steps.empty()) lines.push_back("steps = " + inline_steps(step.steps));
    body += fmt::format("{}{{ {} }}", body.empty() ? "" : ", ", fmt::join(lines, ", "));
  }
  return "[" + body + "]";
}

void print_steps(const std::vector<StepSyntax>& steps, const std::string& path, std::string& out) {
  constexpr std::ptrdiff_t kDeepest = 24;
  for (const StepSyntax& step : steps) {
    out += fmt::format("\n[[{}]]\n{}\n", path, fmt::join(step_lines(step), "\n"));
    if (step.steps.empty()) continue;
    if (std::count(path.begin(), path.end(), '.') < kDeepest) {
      print_steps(step.steps, path + ".steps", out);
    } else {
      out += fmt::format("steps = {}\n", inline_steps(step.steps));
    }
  }
}

void print_safety(const SafetySyntax& safety, std::string& out) {
  std::string body;
  const auto bound = [&body](const char* key, const BoundSyntax& b) {
    if (!b.given) return;
    Pairs pairs;
    pairs.expression("min", b.min);
    pairs.expression("max", b.max);
    pairs.expression("for", b.dwell);
    body += fmt::format("{} = {}\n", key, pairs.table());
  };
  bound("voltage", safety.voltage);
  bound("current", safety.current);
  bound("power", safety.power);
  bound("temperature", safety.temperature);
  bound("chamber", safety.chamber);
  bound("capacity", safety.capacity);
  if (safety.sensor_loss.given) {
    body += fmt::format("sensor_loss = {{ after = {} }}\n", quoted(canonical_text(safety.sensor_loss)));
  }
  if (!body.empty()) out += "\n[safety]\n" + body;
}

void print_parameters(const std::map<std::string, Parameter>& parameters, const char* table, std::string& out) {
  if (!parameters.empty()) out += fmt::format("\n[{}]\n", table);
  for (const auto& [name, parameter] : parameters) {
    // What depends on the cell stays an expression: the canonical form is the same for every cell.
    Pairs pairs;
    pairs.expression("default", parameter.value);
    pairs.expression("min", parameter.min);
    pairs.expression("max", parameter.max);
    pairs.text("help", parameter.help);
    out += fmt::format("{} = {}\n", name, pairs.table());
  }
}

void print_procedure(const ProcedureSyntax& procedure, std::string& out) {
  const std::string path = "procedure." + procedure.name;
  out += fmt::format("\n[{}]\n", path);
  if (!procedure.title.empty()) out += fmt::format("title = {}\n", quoted(procedure.title));
  print_parameters(procedure.names.parameters, (path + ".parameters").c_str(), out);
  print_steps(procedure.steps, path + ".step", out);
}

std::string canonical_form(const ProfileSyntax& profile, const std::map<std::string, ProcedureSyntax>& library) {
  std::string out = fmt::format("profile = {}\nschema = 1\n", quoted(profile.name));
  if (!profile.title.empty()) out += fmt::format("title = {}\n", quoted(profile.title));
  if (!profile.description.empty()) out += fmt::format("description = {}\n", quoted(profile.description));
  print_parameters(profile.names.parameters, "parameters", out);
  if (!profile.chemistries.empty() || profile.nominal_capacity.given) {
    out += "\n[cell]\n";
    std::string words;
    for (const std::string& word : profile.chemistries) words += (words.empty() ? "" : ", ") + quoted(word);
    if (!words.empty()) out += fmt::format("chemistry = [{}]\n", words);
    if (profile.nominal_capacity.given) {
      out += fmt::format("nominal_capacity = {}\n", quoted(canonical_text(profile.nominal_capacity)));
    }
  }
  print_safety(profile.safety, out);
  if (profile.record.given)
    out += fmt::format("\n[record]\n{}", [&] {
      std::string body;
      const auto line = [&body](const char* key, const Expression& e) {
        if (e.given) body += fmt::format("{} = {}\n", key, quoted(canonical_text(e)));
      };
      line("every", profile.record.every);
      line("voltage", profile.record.voltage);
      line("current", profile.record.current);
      line("power", profile.record.power);
      line("temperature", profile.record.temperature);
      line("capacity", profile.record.capacity);
      line("energy", profile.record.energy);
      line("pretrigger", profile.record.pretrigger);
      return body;
    }());
  // With the shipped procedures that it calls, so that it needs no other file.
  std::map<std::string, const ProcedureSyntax*> procedures;
  for (const auto& [name, procedure] : library) procedures[name] = &procedure;
  for (const auto& [name, procedure] : profile.procedures) procedures[name] = &procedure;
  for (const auto& [name, procedure] : procedures) print_procedure(*procedure, out);
  print_steps(profile.steps, "step", out);
  return out;
}

// The flat program as bytes: what the executor acts on. Lines, and conditions as they were spelled, stay out.
class Bytes {
 public:
  explicit Bytes(const Program& program) : program_(program) { bytes_ = "cyclerd program 1\n"; }

  Bytes& number(double value) {
    if (value == 0.0) value = 0.0;
    return raw(&value, sizeof value);
  }
  Bytes& integer(std::int64_t value) { return raw(&value, sizeof value); }
  Bytes& text(std::string_view value) {
    integer(static_cast<std::int64_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  Bytes& string(std::uint32_t index) { return text(program_.text(index)); }
  Bytes& expression(ExpressionRef ref) {
    integer(ref.count);
    for (std::uint32_t i = ref.first; i < ref.first + ref.count; ++i) {
      const Instruction& c = program_.code[i];
      integer(static_cast<int>(c.op)).integer(c.arg).integer(c.index).number(c.value);
    }
    return *this;
  }
  Bytes& bound(const SafetyBound& b) { return number(b.min).number(b.max).integer(b.dwell.us); }
  Bytes& rule(const RecordRule& r) {
    return integer(r.every.us)
        .number(r.voltage_V)
        .number(r.current_A)
        .number(r.temperature_K)
        .number(r.power_W)
        .number(r.capacity_C)
        .number(r.energy_J)
        .integer(r.pretrigger.us);
  }
  [[nodiscard]] const std::string& get() const { return bytes_; }

 private:
  Bytes& raw(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    return *this;
  }
  const Program& program_;
  std::string bytes_;
};

void append_step(const Step& s, const Program& program, Bytes& out) {
  out.integer(static_cast<int>(s.kind)).integer(s.sign).integer(s.software_cv).string(s.name).string(s.type);
  out.integer(s.parent).integer(s.peer).rule(program.records[s.record]).string(s.message);
  for (const ExpressionRef e : {s.when, s.current, s.voltage, s.power, s.resistance, s.count, s.chamber, s.chamber_ramp,
                                s.soak_within, s.scale, s.ramp_from, s.ramp_to, s.ramp_rate, s.ramp_over, s.value}) {
    out.expression(e);
  }
  out.integer(s.soak_for.us).integer(s.kind == StepKind::follow ? s.waveform : 0).integer(s.variable);
  out.integer(s.window_count);
  for (std::uint32_t k = s.first_window; k < s.first_window + s.window_count; ++k)
    out.integer(static_cast<int>(program.windows[k].quantity)).integer(program.windows[k].length.us);
  out.integer(static_cast<int>(s.method)).integer(s.pulse_count);
  for (std::uint32_t k = s.first_pulse; k < s.first_pulse + s.pulse_count; ++k) {
    const PulsePart& p = program.pulses[k];
    out.expression(p.value).integer(static_cast<int>(p.quantity)).integer(p.time.us);
  }
  out.integer(static_cast<int>(s.set_target)).integer(s.store_count);
  for (std::uint32_t k = s.first_store; k < s.first_store + s.store_count; ++k) {
    const ResultStore& r = program.stores[k];
    out.integer(r.slot).integer(static_cast<int>(r.quantity)).integer(static_cast<int>(r.pick)).integer(r.nth);
  }
  out.integer(static_cast<int>(s.ramp_quantity)).integer(s.condition_count);
  for (std::uint32_t k = 0; k < s.condition_count; ++k) {
    const Condition& c = program.conditions[s.first_condition + k];
    out.expression(c.when).integer(static_cast<int>(c.then)).integer(c.then == Then::go_to ? c.target : 0);
    out.integer(c.dwell.us).string(c.reason);
  }
}

std::string program_bytes(const Program& program) {
  Bytes out(program);
  for (const Step& step : program.steps) append_step(step, program, out);
  out.integer(program.mark_count).integer(program.result_slots);
  out.integer(static_cast<std::int64_t>(program.initial_variables.size()));
  for (const Waveform& w : program.waveforms) {
    out.integer(static_cast<int>(w.quantity)).integer(static_cast<int>(w.resample));
    out.integer(static_cast<std::int64_t>(w.value.size()));
    for (std::size_t i = 0; i < w.value.size(); ++i) out.integer(w.time_us[i]).number(w.value[i]);
  }
  const SafetyLimits& s = program.safety;
  out.bound(s.voltage).bound(s.current).bound(s.power).bound(s.temperature).bound(s.chamber).bound(s.capacity);
  out.integer(s.sensor_loss.us);
  const Envelope& e = program.envelope;
  out.number(e.voltage_max_V).number(e.voltage_min_V).number(e.current_max_A).number(e.current_min_A);
  out.number(e.power_max_W).number(e.power_min_W);
  out.number(program.nominal_capacity_C).number(program.initial_soc).integer(program.scan.us);
  return out.get();
}

}  // namespace

void write_canonical(const Compiler& compiler) {
  Program& program = *compiler.program;
  program.canonical = canonical_form(compiler.profile, compiler.library);
  program.source_sha256 = sha256(program.source_text);
  program.canonical_sha256 = sha256(program.canonical);
  program.compiled_sha256 = sha256(program_bytes(program));
}

}  // namespace cyclerd::profiles
