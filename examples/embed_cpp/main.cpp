// A host in C++: a script fits a model to measurements that lie in the host's memory, and asks the host for weights on
// the way. Writing through the tensors on either side shows that there is one copy only.
#include <cmath>
#include <cstdio>
#include <facula.hpp>
#include <vector>

static const char* const kScript = R"(
local torch = require "torch"

-- Least squares with the host's weights: the line through the points.
function fit(x, y)
  local w = host.weight(x)
  local columns = torch.stack({x, torch.ones_like(x)}, 2)
  local solution = torch.linalg.lstsq(columns * w:unsqueeze(2), (y * w):unsqueeze(2))
  print(("%d points"):format(x:size(1)))
  return solution[1], solution[2]
end

-- Leaves what the line does not explain in the host's own array.
function residuals_(y, x, slope, intercept)
  y:sub_(x * slope + intercept)
end
)";

int main() try {
  std::vector<double> x, y;
  for (int i = 0; i < 50; ++i) {
    x.push_back(0.1 * i);
    y.push_back(3 * x.back() - 1 + (i == 7 ? 100 : 0));  // one measurement went wrong
  }
  facula::State lua;
  const facula::Tensor tx = lua.wrap(x.data(), {50}), ty = lua.wrap(y.data(), {50});
  std::vector<double> weights(50, 1.0);
  lua.define("host.weight", [&](const facula::Values&) -> facula::Values {
    for (size_t i = 0; i < y.size(); ++i) weights[i] = std::abs(y[i]) < 50 ? 1 : 0;
    return {lua.wrap(weights.data(), {50})};
  });
  lua.run(kScript, "@fit.lua");

  const facula::Values line = lua.call_values("fit", {tx, ty}, 2);
  const auto read = [&](const facula::Value& v) { return lua.read<double>(std::get<facula::Tensor>(v))[0]; };
  const double slope = read(lua.call("reshape", line[0], -1)), intercept = read(lua.call("reshape", line[1], -1));
  std::printf("slope %.3f, intercept %.3f\n", slope, intercept);

  lua.call_values("residuals_", {ty, tx, slope, intercept}, 0);
  std::printf("residual of the wrong measurement: %.3f\n", y[7]);
  return std::abs(slope - 3) < 1e-9 && std::abs(intercept + 1) < 1e-9 && std::abs(y[7] - 100) < 1e-6 ? 0 : 1;
} catch (const facula::Error& error) {
  std::fprintf(stderr, "%s%s\n", error.what(), error.traceback().c_str());
  return 1;
}
