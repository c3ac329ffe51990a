// Codes of findings. Stable: people search for them. Explained in README.md; a test compares the two.
#pragma once

namespace cyclerd::profiles::code {

inline constexpr const char* kSchema = "P010";
inline constexpr const char* kName = "P011";
inline constexpr const char* kNoSteps = "P012";
inline constexpr const char* kTooManySteps = "P013";
inline constexpr const char* kNesting = "P014";
inline constexpr const char* kExpression = "P020";
inline constexpr const char* kUnit = "P021";
inline constexpr const char* kUnknownName = "P022";
inline constexpr const char* kDimension = "P023";
inline constexpr const char* kQuantity = "P024";
inline constexpr const char* kConstant = "P025";
inline constexpr const char* kNotYet = "P026";
inline constexpr const char* kExpressionSize = "P027";
inline constexpr const char* kTooManyNames = "P028";
inline constexpr const char* kControl = "P030";
inline constexpr const char* kCombination = "P032";
inline constexpr const char* kDuplicateName = "P033";
inline constexpr const char* kUntil = "P034";
inline constexpr const char* kGoto = "P035";
inline constexpr const char* kGotoIntoLoop = "P036";
inline constexpr const char* kBreak = "P037";
inline constexpr const char* kProcedure = "P038";
inline constexpr const char* kRecursion = "P039";
inline constexpr const char* kNoEnd = "P040";
inline constexpr const char* kNoTimeGuard = "P041";
inline constexpr const char* kUnreachable = "P042";
inline constexpr const char* kEndlessLoop = "P043";
inline constexpr const char* kInstantLoop = "P044";
inline constexpr const char* kNeverFires = "P045";
inline constexpr const char* kAlwaysTrue = "P046";
inline constexpr const char* kShadowed = "P047";
inline constexpr const char* kAtControlLevel = "P048";
inline constexpr const char* kMayNotExist = "P049";
inline constexpr const char* kCellRating = "P050";
inline constexpr const char* kDeviceRange = "P051";
inline constexpr const char* kMagnitude = "P052";
inline constexpr const char* kDeviceCannot = "P053";
inline constexpr const char* kSafetyBox = "P054";
inline constexpr const char* kChamberRange = "P055";
inline constexpr const char* kNoSensor = "P056";
inline constexpr const char* kPulseTooFast = "P057";
inline constexpr const char* kPulseEdges = "P058";
inline constexpr const char* kStaircase = "P059";
inline constexpr const char* kSafetyLoose = "P060";
inline constexpr const char* kSafetyContradiction = "P061";
inline constexpr const char* kBeyondBox = "P062";
inline constexpr const char* kRecordRate = "P063";
inline constexpr const char* kDisk = "P064";
inline constexpr const char* kUnboundedLoop = "P065";
inline constexpr const char* kWideCapacity = "P066";
inline constexpr const char* kUnchanged = "P067";
inline constexpr const char* kParameterBounds = "P070";
inline constexpr const char* kParameterUnknown = "P071";
inline constexpr const char* kParameterDefinition = "P072";
inline constexpr const char* kWaveformFile = "P080";
inline constexpr const char* kWaveformText = "P081";
inline constexpr const char* kWaveformRange = "P082";
inline constexpr const char* kWaveformScan = "P083";
inline constexpr const char* kWrongCell = "P090";
inline constexpr const char* kCellFile = "P091";
inline constexpr const char* kAmendReached = "P100";
inline constexpr const char* kAmendLimits = "P101";
inline constexpr const char* kAmendResult = "P102";
inline constexpr const char* kAmendParameter = "P103";
inline constexpr const char* kAmendPlace = "P104";

}  // namespace cyclerd::profiles::code
