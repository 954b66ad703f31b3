#include "interp/module.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "interp/embedded.h"
#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr std::string_view kEmbedded = "@torch/";

struct Source {
  std::string chunk;  // its name
  std::string text;
};

// `torch.nn.module` is nn/module.lua or nn/module/init.lua.
std::optional<Source> from_folder(const std::string& folder, std::string_view module) {
  std::string path(module == "torch" ? "" : module.substr(6));
  std::replace(path.begin(), path.end(), '.', '/');
  for (const std::string& name : {path + ".lua", path + (path.empty() ? "init.lua" : "/init.lua")}) {
    std::ifstream file(folder + '/' + name, std::ios::binary);
    if (file) return Source{'@' + folder + '/' + name, {std::istreambuf_iterator<char>(file), {}}};
  }
  return std::nullopt;
}

std::optional<Source> from_binary(std::string_view module) {
  for (size_t i = 0; i < embedded_stdlib_count; ++i) {
    const EmbeddedFile& file = embedded_stdlib[i];
    if (module != file.name) continue;
    std::string path(module == "torch" ? "init" : module.substr(6));
    std::replace(path.begin(), path.end(), '.', '/');
    return Source{std::string(kEmbedded) + path + ".lua", {file.text, file.size}};
  }
  return std::nullopt;
}

const char* override_folder() {
  const char* folder = std::getenv("FACULA_PATH");
  return folder && *folder ? folder : nullptr;
}

// Pushes the module's chunk, in a sandbox with the library's own environment.
void load(lua_State* L, const Source& source) {
  if (luaL_loadbuffer(L, source.text.data(), source.text.size(), source.chunk.c_str()) != 0) fail(lua_tostring(L, -1));
  const State* const S = find_state(L);
  if (!S || S->environment == LUA_NOREF) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, S->environment);
  lua_setfenv(L, -2);
}

std::optional<Source> find(std::string_view module) {
  std::optional<Source> source;
  if (const char* folder = override_folder()) source = from_folder(folder, module);
  return source ? source : from_binary(module);
}

int search(lua_State* L, Function&) {
  const std::string_view name = lua_type(L, 1) == LUA_TSTRING ? to_string(L, 1) : "";
  const bool ours = name == "torch" || name.starts_with("torch.");
  const std::optional<Source> source = ours ? find(name) : std::nullopt;
  if (source)
    load(L, *source);
  else
    lua_pushliteral(L, "");
  return 1;
}

int modules(Call& c) {
  lua_createtable(c.L, static_cast<int>(embedded_stdlib_count), 0);
  for (size_t i = 0; i < embedded_stdlib_count; ++i) {
    lua_pushstring(c.L, embedded_stdlib[i].name);
    lua_rawseti(c.L, -2, static_cast<int>(i) + 1);
  }
  return 1;
}

int module_source(Call& c) {
  const std::string name = c.get<std::string>(0);
  const std::optional<Source> source = name.starts_with("torch.") ? find(name) : std::nullopt;
  if (source)
    lua_pushlstring(c.L, source->text.data(), source->text.size());
  else
    lua_pushnil(c.L);
  return 1;
}

constexpr Native kNatives[] = {
    {"core.modules() -> any", modules},                       // names of the standard library's modules
    {"core.module_source(str name) -> any", module_source}};  // nil for a module that is not the library's

}  // namespace

void open_modules(lua_State* L, State& S) {
  add_natives(L, S, kNatives);
  S.library.emplace_back(kEmbedded);
  if (const char* folder = override_folder()) S.library.push_back(text('@', folder, '/'));
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaders");
  check(lua_istable(L, -1), "torch: package.loaders is missing");
  for (int i = static_cast<int>(lua_objlen(L, -1)); i >= 2; --i) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  push_function(L, S, "require", door<search>);
  lua_rawseti(L, -2, 2);  // behind package.preload
  lua_pop(L, 2);
}

void push_library(lua_State* L) {
  const std::optional<Source> source = find("torch");
  check(source.has_value(), "torch: the standard library is missing");
  load(L, *source);
}

}  // namespace facula::interp
