#include "interp/repl_help.h"

#include <vector>

#include "interp/repl_print.h"
#include "interp/signature.h"
#include "interp/state.h"

namespace facula::interp {
namespace {

void add_operator(std::string& out, const Operator& op) {
  out += (out.empty() ? "" : "\n\n") + signature_text(op.schema);
  if (!op.doc.empty()) out += "\n" + op.doc;
}

/// The binding's function behind a C closure; null for others.
const Function* function_at(lua_State* L, int index) {
  const State* const S = find_state(L);
  if (!S || !lua_iscfunction(L, index) || !lua_getupvalue(L, index, 1)) return nullptr;
  const void* const p = lua_touserdata(L, -1);
  lua_pop(L, 1);
  for (const Function& f : S->functions)
    if (&f == p) return &f;
  return nullptr;
}

std::string help_of_function(const Function& f) {
  std::string out;
  for (const Operator* op : f.overloads) add_operator(out, *op);
  if (f.overloads.empty()) out = f.schema.text.empty() ? f.name + "(...)" : signature_text(f.schema);
  if (f.in_place) out += "\n`" + f.name + "` does this in place, and returns the tensor.";
  return f.doc.empty() ? out : out + "\n" + f.doc;
}

}  // namespace

std::string prompt_help() {
  return "Type Lua; the value of an expression is shown, unless `;` ends it, and is `_` afterwards.\n"
         "An input that is not complete goes on in the next line, after `..>`.\n"
         "Variables stay from input to input, `local` ones too: `local x = 1` makes x a variable of the prompt.\n"
         "  ?torch.sum   signature and description; help(x) does the same\n"
         "  ??softmax    operators with this word in name or description\n"
         "  Tab          completes names; the arrow keys and Ctrl-R bring earlier lines back\n"
         "  Ctrl-C       drops the input, or stops what runs; pressed again it ends the program\n"
         "  Ctrl-D       leaves";
}

std::string help_of_value(lua_State* L, int index) {
  if (const Function* const f = function_at(L, index)) return help_of_function(*f);
  if (lua_type(L, index) != LUA_TFUNCTION) return shown(L, index);
  lua_Debug where;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &where);
  if (*where.what == 'C') return "a C function";
  return text("a function of ", where.short_src, ", lines ", where.linedefined, " to ", where.lastlinedefined);
}

std::string help_of_name(std::string_view name) {
  if (name.starts_with("torch.")) name.remove_prefix(6);
  const std::vector<const Operator*>* found = &registry().find(name);
  if (found->empty()) found = &registry().find("nn.functional." + std::string(name));
  std::string out;
  for (const Operator* op : *found) add_operator(out, *op);
  if (!out.empty()) return out;
  std::vector<std::string_view> names;
  for (const auto& [known, operators] : registry().names()) names.push_back(known);
  const std::string_view near = nearest(name, names);
  return text("nothing is known of '", name, "'", near.empty() ? "" : text(", did you mean '", near, "'?"));
}

std::string search_operators(std::string_view wanted) {
  std::string out;
  for (const auto& [name, operators] : registry().names()) {
    const Operator& op = *operators[0];
    if (name != op.schema.name || name.starts_with('_')) continue;  // aliases, and parts of derivatives
    if (name.find(wanted) == std::string::npos && op.doc.find(wanted) == std::string::npos) continue;
    out += text(out.empty() ? "" : "\n", name, "  ", op.doc.substr(0, op.doc.find('\n')));
  }
  return out.empty() ? text("no operator has '", wanted, "' in its name or description") : out;
}

}  // namespace facula::interp
