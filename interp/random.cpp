// Seeds, and generators as Lua values.
#include <random>

#include "interp/settings.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

int64_t fresh_seed() {
  std::random_device device;
  return static_cast<int64_t>(device() & 0x1fffff) << 32 | device();  // 53 bits: a plain Lua number
}

Ref<Generator> generator(Call& c) { return c.get<Ref<Generator>>(0); }

// As a tensor of seed and place, which can be saved.
int push_state(Call& c, const Ref<Generator>& g) {
  const Philox state = g->state();
  push_tensor(c.L, c.S, position_tensor({static_cast<int64_t>(state.seed), static_cast<int64_t>(state.offset)}));
  return 1;
}

void set_state(const char* where, const Ref<Generator>& g, const Tensor& state) {
  check(state.dtype() == DType::Int64 && state.numel() == 2 && state.is_cpu() && state.is_contiguous(), where,
        ": expected a state as get_state gives it, two int64 numbers, got a ", state.dtype(), " tensor ",
        state.sizes());
  const auto* words = state.data<int64_t>();
  g->set_state({static_cast<uint64_t>(words[0]), static_cast<uint64_t>(words[1])});
}

int manual_seed(Call& c) {
  default_generator()->manual_seed(static_cast<uint64_t>(c.get<int64_t>(0)));
  push_object(c.L, c.S.generator, default_generator());
  return 1;
}
int seed(Call& c) {
  const int64_t n = fresh_seed();
  default_generator()->manual_seed(static_cast<uint64_t>(n));
  return c.returns(n);
}
int initial_seed(Call& c) { return c.returns(static_cast<int64_t>(default_generator()->initial_seed())); }
int get_rng_state(Call& c) { return push_state(c, default_generator()); }
int set_rng_state(Call& c) {
  set_state("set_rng_state", default_generator(), c.tensor());
  return 0;
}
int new_generator(Call& c) {
  push_object(c.L, c.S.generator, make_ref<Generator>(uint64_t{67280421310721}));
  return 1;
}

int generator_manual_seed(Call& c) {
  generator(c)->manual_seed(static_cast<uint64_t>(c.get<int64_t>(1)));
  return c.returns_argument();
}
int generator_seed(Call& c) {
  const int64_t n = fresh_seed();
  generator(c)->manual_seed(static_cast<uint64_t>(n));
  return c.returns(n);
}
int generator_initial_seed(Call& c) { return c.returns(static_cast<int64_t>(generator(c)->initial_seed())); }
int generator_get_state(Call& c) { return push_state(c, generator(c)); }
int generator_set_state(Call& c) {
  set_state("set_state", generator(c), c.tensor(1));
  return c.returns_argument();
}

constexpr Native kGenerator[] = {
    {"manual_seed(Generator self, int seed) -> Generator", generator_manual_seed,
     "Seeds the generator (without one the default generators of all devices); returns it.",
     "torch.rand(2, {generator=torch.Generator():manual_seed(1)})"},
    {"seed(Generator self) -> int", generator_seed,
     "Seeds the generator with a number of the system's; returns the number.", "torch.Generator():seed()"},
    {"initial_seed(Generator self) -> int", generator_initial_seed, "What the generator was seeded with.",
     "torch.Generator():manual_seed(7):initial_seed()"},
    {"get_state(Generator self) -> Tensor", generator_get_state, "The generator's state, as a uint8 tensor.",
     "torch.Generator():get_state()"},
    {"set_state(Generator self, Tensor state) -> Generator", generator_set_state,
     "Goes on where another generator stood.", "torch.Generator():set_state(torch.Generator():get_state())"},
};

constexpr Native kFunctions[] = {
    {"manual_seed(int seed) -> Generator", manual_seed,
     "Seeds the generator (without one the default generators of all devices); returns it.", "torch.manual_seed(1)"},
    {"seed() -> int", seed, "Seeds the generator with a number of the system's; returns the number.", "torch.seed()"},
    {"initial_seed() -> int", initial_seed, "What the generator was seeded with.", "torch.initial_seed()"},
    {"get_rng_state() -> Tensor", get_rng_state, "The default generator's state, as a uint8 tensor.",
     "torch.get_rng_state()"},
    {"set_rng_state(Tensor state)", set_rng_state, "Lets the default generator go on from a state.",
     "torch.set_rng_state(torch.get_rng_state())"},
    {"Generator() -> Generator", new_generator, "A generator of random numbers of its own.",
     "torch.rand(2, {generator=torch.Generator()})"},
};

}  // namespace

void open_random(lua_State* L, State& S) {
  add_natives(L, S, kFunctions);
  new_metatable(L, S.generator, "torch.Generator");
  const Metamethod metamethods[] = {{"__gc", collect_object<Ref<Generator>, &State::generator>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  add_natives(L, S, kGenerator);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

}  // namespace facula::interp
