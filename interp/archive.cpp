#include "interp/archive.h"

#include "core/archive.h"
#include "interp/register.h"

namespace facula::interp {
namespace {

int write_archive(Call& call) {
  facula::write_archive(call.get<std::string>(0), call.get<std::string>(1), call.get<Tensors>(2));
  return 0;
}

int read_archive(Call& call) {
  const Archive archive =
      facula::read_archive(call.get<std::string>(0), call.get<OptDevice>(1).value_or(Device()), call.get<bool>(2));
  lua_pushlstring(call.L, archive.description.data(), archive.description.size());
  push_tensors(call.L, call.S, archive.tensors);
  return 2;
}

constexpr Native kNatives[] = {
    {"core.write_archive(str path, str description, Tensor[] tensors)", write_archive},
    {"core.read_archive(str path, Device? device=None, bool mmap=False)", read_archive},
};

}  // namespace

void open_archives(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
