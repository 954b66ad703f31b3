// The instruction sets that vector code is compiled for: plain x86-64, AVX2 and AVX-512 (on other machines whatever
// Highway finds). What lies between would double the compile time for machines that are hard to find.
//
// A file of vector code includes itself once per instruction set through hwy/foreach_target.h. Everything it has lies
// in HWY_NAMESPACE, and its `fill` enters the chosen set's functions into the slots' tables: dispatch costs nothing per
// call.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
