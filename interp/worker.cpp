#include "interp/worker.h"

#include <unistd.h>

#include <climits>
#include <cstdio>

#include "core/child_process.h"
#include "interp/memory.h"
#include "interp/message.h"
#include "interp/method.h"
#include "interp/traceback.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr char kOperation[] = "DataLoader";  // for errors: only loaders start processes

/// One end of a connection as Lua sees it; the parent's has the process, too, which goes after the channel.
struct Worker {
  std::unique_ptr<ChildProcess> process;
  std::unique_ptr<Channel> channel;
};
using WorkerRef = std::shared_ptr<Worker>;

const WorkerRef& to_worker(lua_State* L, const State& S) {
  const auto* w = static_cast<const WorkerRef*>(to_object(L, S.worker, 1));
  check(w && *w, "worker: expected a worker, got ", describe(L, S, 1));
  return *w;
}

int push_worker(lua_State* L, const State& S, std::unique_ptr<ChildProcess> process, std::unique_ptr<Channel> channel) {
  push_object(L, S.worker, std::make_shared<Worker>(Worker{std::move(process), std::move(channel)}));
  return 1;
}

// ---- starting -------------------------------------------------------------------------------------------------------------

// In the child: a coroutine, so that tracebacks begin with the worker.
int run(lua_State* L, const State& S, int function, Channel::Connection& connection) {
  Channel::close_inherited(connection);
  lua_State* const own = lua_newthread(L);
  lua_pushvalue(L, function);
  lua_xmove(L, own, 1);
  push_worker(own, S, nullptr, std::make_unique<Channel>(connection, 1));
  if (lua_pcall(own, 1, 0, 0) == 0) return 0;
  std::fprintf(stderr, "facula: %s\n", error_message(own, -1).c_str());
  return 1;
}

int start_worker(Call& c) {
  check(lua_isfunction(c.L, c.source(0)), "start_worker: expected a function, got ", describe(c.L, c.S, c.source(0)));
  Channel::Connection connection(kOperation);
  auto process = std::make_unique<ChildProcess>(kOperation, [&] { return run(c.L, c.S, c.source(0), connection); });
  return push_worker(c.L, c.S, std::move(process), std::make_unique<Channel>(connection, 0));
}

int spawn_worker(Call& c) {
  Channel::Connection connection(kOperation);
  const std::vector<std::string> command = {c.get<std::string>(0), "-e", c.get<std::string>(1)};
  auto process = std::make_unique<ChildProcess>(
      kOperation, command, std::vector<int>{connection.sockets[1], connection.flags->descriptor()});
  return push_worker(c.L, c.S, std::move(process), std::make_unique<Channel>(connection, 0));
}

int join_parent(Call& c) {
  ChildProcess::attach_to_parent(static_cast<pid_t>(c.get<int64_t>(0)));
  set_num_threads(1);
  return push_worker(c.L, c.S, nullptr, std::make_unique<Channel>(3, 4));
}

// An error as the prompt and scripts show it: its text, then where it happened. Called as a message handler.
int explain_problem(Call& c) {
  const std::string message = error_message(c.L, c.source(0)) + traceback(c.L);
  push_string(c.L, message);
  return 1;
}

int process_id(Call& c) { return c.returns(int64_t{getpid()}); }

int program(Call& c) {
  char path[PATH_MAX] = {};
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) path[0] = 0;
  lua_pushstring(c.L, path);
  return 1;
}

// The child's way out: without what the parent has registered for its own end.
int leave(Call& c) {
  std::fflush(nullptr);
  _exit(static_cast<int>(c.get<int64_t>(0)));
}

int flush(Call&) {
  std::fflush(nullptr);
  return 0;
}

constexpr Native kNatives[] = {
    {"core.start_worker(any fn) -> any", start_worker},
    {"core.spawn_worker(str program, str code) -> any", spawn_worker},
    {"core.join_parent(int parent) -> any", join_parent},
    {"core.leave_process(int code)", leave},
    {"core.flush_files()", flush},
    {"core.explain(any problem) -> str", explain_problem},
    {"core.process_id() -> int", process_id},
    {"core.program_path() -> str", program},
};

// ---- the two ends ---------------------------------------------------------------------------------------------------------

int send(lua_State* L, Function& f) {
  const WorkerRef worker = to_worker(L, *f.state);
  lua_pushboolean(L, send_values(L, *f.state, *worker->channel, 2));
  return 1;
}

// `"message", values...`, `"closed"` or `"timeout"`.
int receive(lua_State* L, Function& f) {
  const WorkerRef worker = to_worker(L, *f.state);
  Delivery delivery;
  switch (worker->channel->receive(delivery, lua_isnumber(L, 2) ? lua_tonumber(L, 2) : -1)) {
    case Channel::Status::Closed: lua_pushliteral(L, "closed"); return 1;
    case Channel::Status::TimedOut: lua_pushliteral(L, "timeout"); return 1;
    case Channel::Status::Message: break;
  }
  collect_if_due(L, *f.state);
  lua_pushliteral(L, "message");
  return 1 + push_values(L, *f.state, delivery);
}

int pid(lua_State* L, Function& f) {
  const WorkerRef worker = to_worker(L, *f.state);
  lua_pushnumber(L, worker->process ? worker->process->id() : getpid());
  return 1;
}

// Lets the child end by itself, for so many seconds.
int finish(lua_State* L, Function& f) {
  const WorkerRef worker = to_worker(L, *f.state);
  worker->channel->close();
  if (worker->process) worker->process->end(lua_isnumber(L, 2) ? lua_tonumber(L, 2) : 0);
  return 0;
}

int fate(lua_State* L, Function& f) {
  const WorkerRef worker = to_worker(L, *f.state);
  check(worker->process != nullptr, "fate: this is no child's end");
  const std::string how = worker->process->fate();
  push_string(L, how);
  return 1;
}

}  // namespace

void open_workers(lua_State* L, State& S) {
  add_natives(L, S, kNatives);
  new_metatable(L, S.worker, "torch.Worker");
  const Metamethod metamethods[] = {{"__gc", collect_object<WorkerRef, &State::worker>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  const Variadic methods[] = {{"send", door<send>},
                              {"receive", door<receive>},
                              {"pid", door<pid>},
                              {"finish", door<finish>},
                              {"fate", door<fate>}};
  add_variadics(L, S, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

}  // namespace facula::interp
