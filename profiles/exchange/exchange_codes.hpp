// Codes of findings of the PyBaMM and unicycler importers and of the exporters; explained in README.md.
#pragma once

namespace cyclerd::exchange::code {

inline constexpr const char* kJson = "X001";
inline constexpr const char* kNotThisFormat = "X002";
inline constexpr const char* kPhrase = "X003";
inline constexpr const char* kQuantity = "X004";
inline constexpr const char* kTimeText = "X005";
inline constexpr const char* kEnd = "X006";
inline constexpr const char* kPython = "X007";
inline constexpr const char* kCallable = "X008";
inline constexpr const char* kRepeatCount = "X009";
inline constexpr const char* kTooMuch = "X010";
inline constexpr const char* kEmpty = "X011";
inline constexpr const char* kKey = "X012";
inline constexpr const char* kKind = "X013";
inline constexpr const char* kRange = "X014";
inline constexpr const char* kNoCounterpart = "X015";
inline constexpr const char* kDriveCycle = "X016";
inline constexpr const char* kTermination = "X017";
inline constexpr const char* kLoopTarget = "X018";
inline constexpr const char* kLoopCrossing = "X019";
inline constexpr const char* kTag = "X020";
inline constexpr const char* kExportStep = "X030";
inline constexpr const char* kExportValue = "X031";
inline constexpr const char* kExportCondition = "X032";
inline constexpr const char* kExportFlow = "X033";
inline constexpr const char* kExportSafety = "X034";

}  // namespace cyclerd::exchange::code
