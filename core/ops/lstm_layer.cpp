// A layer of a long short-term memory over a sequence (Hochreiter and Schmidhuber 1997). What its input contributes to the
// gates is known before the first step; a step adds the product of its state and a weight, and is one kernel from there.
// One node stands for all steps: going back, the weight's gradient is one product for the whole sequence.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/recomputed.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op steps;

/// Position t of [T, N, F] as [N, F], without history.
Tensor at(const Tensor& x, int64_t t) {
  return x.alias({x.size(1), x.size(2)}, {x.stride(1), x.stride(2)}, x.offset() + t * x.stride(0));
}

/// The columns of a matrix [K, M] as [M / 64, K, 64]: every step's product reads a panel from end to end, and threads keep
/// theirs in their caches from step to step. One panel if M cannot be divided so.
Tensor panels_of(const Tensor& m) {
  const int64_t rows = m.size(0), cols = m.size(1), width = cols % 64 == 0 ? 64 : std::max<int64_t>(1, cols);
  return ops::contiguous(
      m.alias({cols / width, rows, width}, {width * m.stride(1), m.stride(0), m.stride(1)}, m.offset()));
}

/// y [N, M] = x [N, K] times the matrix that `panels` are of, + beta y.
void multiply(const Tensor& y, const Tensor& x, const Tensor& panels, double beta) {
  const int64_t N = y.size(0), count = panels.size(0), width = panels.size(2);
  slots::bmm(y.alias({count, N, width}, {width * y.stride(1), y.stride(0), y.stride(1)}, y.offset()),
             x.alias({count, N, x.size(1)}, {0, x.stride(0), x.stride(1)}, x.offset()), panels, 1, beta);
}

// tensors: gates [T, N, 4 H], h and c [N, H], weight [4 H, H].
std::tuple<Tensor, Tensor, Tensor> steps_forward(Out& out, const Tensors& tensors) {
  const Tensor &gates = tensors[0], weight = panels_of(ops::t(tensors[3]));
  const int64_t T = gates.size(0), H = tensors[1].size(1);
  const Tensor y = out.make(0, {T, gates.size(1), H}, gates.dtype());
  const Tensor cells = out.make(1, y.sizes(), y.dtype()), active = out.make(2, gates.sizes(), y.dtype());
  slots::copy(active, gates);
  Tensor h = dense(tensors[1]), c = dense(tensors[2]);
  for (int64_t t = 0; t < T; ++t) {
    const Tensor sums = at(active, t);
    multiply(sums, h, weight, 1);
    slots::lstm_step(at(y, t), at(cells, t), sums, c);
    h = at(y, t);
    c = at(cells, t);
  }
  return {y, cells, active};
}

/// Output and cells step by step, composed of operators.
Tensors composed(const Tensors& tensors) {
  const Tensor &gates = tensors[0], weight = ops::t(tensors[3]);
  Tensor h = tensors[1], c = tensors[2];
  const int64_t H = h.size(1);
  Tensors outputs, cells;
  for (int64_t t = 0; t < gates.size(0); ++t) {
    const Tensor sums = ops::addmm(ops::select(gates, 0, t), h, weight);
    const auto gate = [&](int64_t k) { return ops::narrow(sums, 1, k * H, H); };
    c = ops::sigmoid(gate(1)) * c + ops::sigmoid(gate(0)) * ops::tanh(gate(2));
    h = ops::sigmoid(gate(3)) * ops::tanh(c);
    cells.push_back(c);
    outputs.push_back(h);
  }
  return {ops::stack(outputs, 0), ops::stack(cells, 0)};
}

Tensors steps_gradients(const Tensor& given_dy, const Tensor& given_dcells, const Tensor& y, const Tensor& cells,
                        const Tensor& active, const Tensors& tensors) {
  if (GradMode::enabled()) return recomputed_gradients(composed, {given_dy, given_dcells}, tensors);
  const Tensor dy = dense(given_dy), dcells = dense(given_dcells), weight = panels_of(tensors[3]);
  const int64_t T = y.size(0), N = y.size(1), H = y.size(2);
  const Tensor dgates = empty(active.sizes(), y.dtype(), y.device());
  Tensor dh = at(dy, T - 1), dc = ops::clone(at(dcells, T - 1));
  for (int64_t t = T - 1; t >= 0; --t) {
    const Tensor before = t > 0 ? at(cells, t - 1) : dense(tensors[2]);
    slots::lstm_step_backward(at(dgates, t), dc, dh, dc, at(active, t), at(cells, t), before);
    dh = t > 0 ? ops::clone(at(dy, t - 1)) : empty(dh.sizes(), dh.dtype(), dh.device());
    multiply(dh, at(dgates, t), weight, t > 0 ? 1 : 0);
    if (t > 0) dc = dc + at(dcells, t - 1);
  }
  const Tensor h = ops::unsqueeze(tensors[1], 0), before = ops::cat(Tensors{h, ops::narrow(y, 0, 0, T - 1)}, 0);
  const Tensor dweight = ops::mm(ops::t(ops::reshape(dgates, {T * N, 4 * H})), ops::reshape(before, {T * N, H}));
  return {dgates, dh, dc, dweight};
}

void check_layer(const Tensor& gates, const Tensor& h, const Tensor& c, const Tensor& weight) {
  check(gates.dim() == 3 && gates.size(0) > 0, "_lstm_layer: gates must be [T, N, 4 H] with T > 0, got ",
        gates.sizes());
  check(h.dim() == 2 && h.size(0) == gates.size(1) && h.size(1) * 4 == gates.size(2) && c.sizes() == h.sizes(),
        "_lstm_layer: gates ", gates.sizes(), " expect states of sizes (", gates.size(1), ", ", gates.size(2) / 4,
        "), got ", h.sizes(), " and ", c.sizes());
  check(weight.dim() == 2 && weight.size(0) == gates.size(2) && weight.size(1) == h.size(1), "_lstm_layer: gates ",
        gates.sizes(), " expect a weight of sizes (", gates.size(2), ", ", h.size(1), "), got ", weight.sizes());
  for (const Tensor* t : {&h, &c, &weight})
    check(is_floating(gates.dtype()) && t->dtype() == gates.dtype(),
          "_lstm_layer: all must have one floating dtype, got ", gates.dtype(), " and ", t->dtype());
}

bool has_kernel(const Tensor& x) {
  const DType t = x.dtype();
  return (t == DType::Float32 || t == DType::Float64) && slots::lstm_step.filled(x.device().type);
}

std::tuple<Tensor, Tensor> lstm_layer(const Tensor& gates, const Tensor& h, const Tensor& c, const Tensor& weight) {
  check_layer(gates, h, c, weight);
  const Tensors tensors{gates, h, c, weight};
  if (!has_kernel(gates)) {
    const Tensors r = composed(tensors);
    return {r[0], r[1]};
  }
  const Results r = steps.all({Value(tensors)});
  return {r.tensor(0), r.tensor(1)};
}

}  // namespace

void define_lstm_layer(const Family& define) {
  define("nn.functional._lstm_layer(Tensor gates, Tensor h, Tensor c, Tensor weight) -> (Tensor output, Tensor cells)")
      .doc(
          "Output and cells [T, N, H] of an LSTM layer at every step, from what its input contributes to the gates, "
          "[T, "
          "N, 4 H] in the order input, forget, cell, output, from the state h and c [N, H], and from the weight [4 H, "
          "H] "
          "of the state.")
      .compose(lstm_layer);
  define(steps, "_lstm_steps(Tensor[] tensors) -> (Tensor output, Tensor cells, any active)")
      .doc("_lstm_layer of {gates, h, c, weight} by kernels; `active` are the gates behind their nonlinearities.")
      .node("LstmLayerBackward0")
      .forward(steps_forward)
      .grad("tensors", [](Tensor dy, Tensor dcells, Result y, Result cells, Result active, Tensors tensors) {
        return steps_gradients(dy, dcells, y, cells, active, tensors);
      });
}

}  // namespace facula
