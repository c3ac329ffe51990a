// How an instrument that speaks lines of text says and takes its values: the text part of a description.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "protocols/base/time.hpp"

namespace cyclerd::device {

// "{value:07.2f}": zero padding, least width, decimals, notation.
struct NumberFormat {
  enum class Notation : std::uint8_t { shortest, fixed, exponent, general, integer, hex };
  Notation notation = Notation::shortest;
  bool zero_padded = false;
  std::uint8_t width = 0;
  std::uint8_t decimals = 6;  // of `general`: significant digits
};

// What is sent: literal text and places, in order.
struct TextPiece {
  enum class Kind : std::uint8_t { literal, value, channel, item };
  Kind kind = Kind::literal;
  std::string literal;
  int item = -1;  // of a frame
  NumberFormat format;
};
using TextTemplate = std::vector<TextPiece>;

// What a command is answered with; '*' stands for any text. Empty: nothing.
struct ReplyRule {
  std::string pattern;

  [[nodiscard]] bool expected() const noexcept { return !pattern.empty(); }
};

// The text part of an Item.
struct TextItem {
  TextTemplate query;  // empty: cannot be asked
  TextTemplate set;    // empty: cannot be set, or only with its frame
  ReplyRule reply;     // to `set`
  int field = -1;      // of the reply, from 0; -1: all of it
  std::string separator = ",";
  std::string prefix;  // taken off where it is there
  std::string suffix;
  int character = -1;  // of the field, from 0; -1: all of it
  int radix = 10;      // of integers
  std::vector<std::pair<std::string, double>> words;
  std::vector<double> invalid;  // numbers that stand for no value, beside those of SCPI
  int frame = -1;
  bool hold = false;         // written with the next write of its frame
  bool only_words = false;   // any other reply is garbage
  double initial = 0.0;      // in a frame, when nothing was written and the item cannot be asked; raw
  bool has_initial = false;  // otherwise it is asked
};

struct TextCommand {
  std::string name;
  TextTemplate send;
  ReplyRule reply;
  base::Duration after;  // pause before the next message
};

// One message that sets several items at once.
struct TextFrame {
  std::string name;
  TextTemplate send;
  ReplyRule reply;
  base::Duration after;
};

enum class ErrorCheck : std::uint8_t { never, write, sequence };

// [text]: how this instrument's lines are made.
struct TextLayer {
  std::string terminator = "\n";
  std::string reply_terminator = "\n";
  std::string channel;         // constant
  int channel_parameter = -1;  // or the site's
  TextTemplate prefix;         // before every message
  TextTemplate select;         // sent on its own when another channel of the line was spoken to before
  ReplyRule select_reply;
  base::Duration after_write;
  std::vector<std::string> refused;  // replies that mean no
  std::string error_query;
  std::vector<std::string> no_error;
  ErrorCheck error_check = ErrorCheck::never;
  int error_drain = 16;
  std::string sync_send;  // resynchronise
  std::string sync_ask;
  std::string sync_expect;
};

}  // namespace cyclerd::device
