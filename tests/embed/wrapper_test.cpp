// facula.hpp
#include <doctest/doctest.h>

#include "facula.hpp"

using namespace facula;

TEST_CASE("C++: calls, values and tensors") {
  State lua;
  lua.run("function scale(x, by, name) return x * by, name .. '!' end");
  std::vector<float> data = {1, 2, 3};
  bool told = false;
  {
    const Tensor x = lua.wrap(data.data(), {3}, [&] { told = true; });
    const Values results = lua.call_values("scale", {x, 2.0, std::string("named")}, 2);
    CHECK(lua.read<float>(std::get<Tensor>(results[0])) == std::vector<float>{2, 4, 6});
    CHECK(std::get<std::string>(results[1]) == "named!");
    CHECK(lua.call<Tensor>("scale", x, 3, "n").data<float>()[2] == 9);
    const Tensor same = x;
    CHECK(same.data<float>() == data.data());
    CHECK(same.sizes() == std::vector<int64_t>{3});
    CHECK_THROWS_AS(same.data<double>(), Error);
  }
  lua.run("collectgarbage()");
  CHECK(told);
}

TEST_CASE("C++: functions of the host, globals and references") {
  State lua;
  lua.define("host.join", [](const Values& in) -> Values {
    if (in.size() != 2) throw std::runtime_error("join wants two strings");
    return {std::get<std::string>(in[0]) + std::get<std::string>(in[1]), in[0]};
  });
  lua.run("joined, first = host.join('a', 'b')");
  CHECK(std::get<std::string>(lua.get_global("joined")) == "ab");
  CHECK(std::get<std::string>(lua.get_global("first")) == "a");
  lua.set_global("n", 7);
  CHECK(std::get<double>(lua.get_global("n")) == 7);
  lua.define("same", [](const Values& in) { return in; });
  lua.run("t = {} assert(same(t) == t) x = torch.ones(2) assert(same(x) == x)");
  const auto f = std::get<Reference>(lua.get_global("same"));
  CHECK(std::get<double>(lua.call_values(f, {5.0}, 1)[0]) == 5);
  try {
    lua.run("host.join('a')", "=test");
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "test:1: host.join: the host function threw: join wants two strings");
    CHECK(e.status() == FACULA_ERROR);
    CHECK(e.traceback() == "\n\ttest:1: in main chunk");
  }
}
