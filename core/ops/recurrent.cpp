// Single steps of recurrent networks. Gates come from two linear maps, of the input and of the state.
#include "core/ops.h"
#include "core/ops/families.h"

namespace facula {
namespace {

/// What the input and the state contribute: [N, gates * H] each.
struct Gates {
  Tensor of_input, of_state;
};

void check_cell(const char* name, const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                int64_t gates) {
  check(x.dim() == 2 || x.dim() == 1, name, ": the input must be [N, I] or [I], got ", x.sizes());
  check(h.dim() == x.dim(), name, ": input ", x.sizes(), " and state ", h.sizes(), " differ in their dimensions");
  const int64_t H = h.size(-1);
  check(x.dim() == 1 || x.size(0) == h.size(0), name, ": input ", x.sizes(), " and state ", h.sizes(),
        " differ in batch size");
  check(w_ih.dim() == 2 && w_ih.size(1) == x.size(-1) && H <= INT64_MAX / gates && w_ih.size(0) == gates * H, name,
        ": input ", x.sizes(), " and state ", h.sizes(), " expect w_ih of sizes (", gates, " * ", H, ", ", x.size(-1),
        "), got ", w_ih.sizes());
  check(w_hh.dim() == 2 && w_hh.size(1) == H && w_hh.size(0) == gates * H, name, ": state ", h.sizes(),
        " expects w_hh of sizes (", gates, " * ", H, ", ", H, "), got ", w_hh.sizes());
}

Gates gates_of(const char* name, const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
               const Tensor& b_ih, const Tensor& b_hh, int64_t gates) {
  check_cell(name, x, h, w_ih, w_hh, gates);
  return {ops::linear(x, w_ih, b_ih), ops::linear(h, w_hh, b_hh)};
}

/// The k-th gate of [N, gates * H].
Tensor part(const Tensor& gates, int64_t k, int64_t H) { return ops::narrow(gates, -1, k * H, H); }

std::tuple<Tensor, Tensor> lstm_cell(const Tensor& x, const Tensors& hx, const Tensor& w_ih, const Tensor& w_hh,
                                     const Tensor& b_ih, const Tensor& b_hh) {
  check(hx.size() == 2, "lstm_cell: the state is a list of two tensors, got ", hx.size());
  const Tensor &h = hx[0], &c = hx[1];
  check(h.sizes() == c.sizes(), "lstm_cell: states ", h.sizes(), " and ", c.sizes(), " differ in size");
  const Gates both = gates_of("lstm_cell", x, h, w_ih, w_hh, b_ih, b_hh, 4);
  const Tensor sum = both.of_input + both.of_state;
  const int64_t H = h.size(-1);
  const Tensor in = ops::sigmoid(part(sum, 0, H)), forget = ops::sigmoid(part(sum, 1, H));
  const Tensor next = forget * c + in * ops::tanh(part(sum, 2, H));
  return {ops::sigmoid(part(sum, 3, H)) * ops::tanh(next), next};
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  const Gates both = gates_of("gru_cell", x, h, w_ih, w_hh, b_ih, b_hh, 3);
  const int64_t H = h.size(-1);
  const auto sum = [&](int64_t k) { return part(both.of_input, k, H) + part(both.of_state, k, H); };
  const Tensor reset = ops::sigmoid(sum(0)), update = ops::sigmoid(sum(1));
  const Tensor fresh = ops::tanh(part(both.of_input, 2, H) + reset * part(both.of_state, 2, H));
  return (h - fresh) * update + fresh;
}

Tensor rnn_sum(const char* name, const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
               const Tensor& b_ih, const Tensor& b_hh) {
  const Gates both = gates_of(name, x, h, w_ih, w_hh, b_ih, b_hh, 1);
  return both.of_input + both.of_state;
}

}  // namespace

#define CELL_WEIGHTS "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None)"

void define_recurrent(const Family& define) {
  define("lstm_cell(Tensor input, Tensor[] hx, " CELL_WEIGHTS " -> (Tensor h, Tensor c)")
      .doc(
          "A step of a long short-term memory (Hochreiter and Schmidhuber 1997): input [N, I], hx = {h, c} [N, H], "
          "weights "
          "[4 H, I] and [4 H, H] of the input, forget, cell and output gates.")
      .example(
          "torch.lstm_cell(torch.randn(1, 3), {torch.zeros(1, 2), torch.zeros(1, 2)}, torch.randn(8, 3), "
          "torch.randn(8, 2))")
      .compose(lstm_cell);
  define("gru_cell(Tensor input, Tensor hx, " CELL_WEIGHTS " -> Tensor")
      .doc(
          "A step of a gated recurrent unit (Cho et al. 2014): input [N, I], hx [N, H], weights [3 H, I] and [3 H, H] "
          "of "
          "the reset, update and new gates.")
      .example("torch.gru_cell(torch.randn(1, 3), torch.zeros(1, 2), torch.randn(6, 3), torch.randn(6, 2))")
      .compose(gru_cell);
  define("rnn_tanh_cell(Tensor input, Tensor hx, " CELL_WEIGHTS " -> Tensor")
      .doc("`tanh(w_ih input + b_ih + w_hh hx + b_hh)`.")
      .example("torch.rnn_tanh_cell(torch.randn(1, 3), torch.zeros(1, 2), torch.randn(2, 3), torch.randn(2, 2))")
      .compose([](const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                  const Tensor& b_hh) { return ops::tanh(rnn_sum("rnn_tanh_cell", x, h, w_ih, w_hh, b_ih, b_hh)); });
  define("rnn_relu_cell(Tensor input, Tensor hx, " CELL_WEIGHTS " -> Tensor")
      .doc("`relu(w_ih input + b_ih + w_hh hx + b_hh)`.")
      .example("torch.rnn_relu_cell(torch.randn(1, 3), torch.zeros(1, 2), torch.randn(2, 3), torch.randn(2, 2))")
      .compose([](const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                  const Tensor& b_hh) { return ops::relu(rnn_sum("rnn_relu_cell", x, h, w_ih, w_hh, b_ih, b_hh)); });
}

}  // namespace facula
