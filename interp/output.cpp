#include "interp/output.h"

#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

template <Writer State::*writer>
int write(lua_State* L, Function& f) {
  ((*f.state).*writer)(to_string(L, 1));
  return 0;
}

template <Writer State::*writer>
void push_writer(lua_State* L, State& S) {
  if (S.*writer)
    push_function(L, S, "write", door<write<writer>>);
  else
    lua_pushnil(L);
}

}  // namespace

void redirect_output(lua_State* L, State& S, Writer output, Writer error) {
  if (!output && !error) return;
  S.output = std::move(output);
  S.error = std::move(error);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "torch.output");
  call_lua(L, S, 1, 1);
  push_writer<&State::output>(L, S);
  push_writer<&State::error>(L, S);
  call_lua(L, S, 2, 0);
}

}  // namespace facula::interp
