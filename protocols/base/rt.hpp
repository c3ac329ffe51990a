// Marks for functions on the cycle and judge path.
#pragma once

// The function neither allocates, locks, blocks nor throws. clang-22 checks it (-Wfunction-effects); empty under gcc.
#if defined(__clang__) && __clang_major__ >= 20
#define RT_NONBLOCKING [[clang::nonblocking]]
#else
#define RT_NONBLOCKING
#endif
