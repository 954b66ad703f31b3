#include "interp/trace_guard.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace facula::interp {
namespace {

constexpr char kCall = '\xe8';  // call rel32
constexpr char kSwap = '\x92';  // xchg eax, edx: with no REX.W prefix it clears the upper halves of both
constexpr size_t kCallBytes = 5;
constexpr intptr_t kLibraryBytes = 1 << 20;  // no function of LuaJIT is further from another one

}  // namespace

bool truncates_pointer(std::string_view code, intptr_t address) {
  for (size_t at = code.find(kSwap, kCallBytes); at != std::string_view::npos; at = code.find(kSwap, at + 1)) {
    if (code[at - kCallBytes] != kCall) continue;
    int32_t offset = 0;
    std::memcpy(&offset, code.data() + at - sizeof offset, sizeof offset);
    const intptr_t target = address + static_cast<intptr_t>(at) + offset;
    if (std::abs(target - reinterpret_cast<intptr_t>(&lua_next)) < kLibraryBytes) return true;
  }
  return false;
}

}  // namespace facula::interp
