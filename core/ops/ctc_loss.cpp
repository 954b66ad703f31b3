// Connectionist temporal classification (Graves et al. 2006): the likelihood of a sequence of classes when steps may repeat
// a class or say nothing (blank).
#include <cmath>

#include "core/ops/families.h"
#include "core/ops/loss.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op ctc_kernel, ctc_backward;
constexpr const char* kName = "ctc_loss";

Tensor integers(const char* what, const Tensor& t) {
  check(is_integral(t.dtype()), kName, ": ", what, " must be integers, got ", t.dtype());
  return dense(converted(t, DType::Int64));
}

// One length for each sample, from 0 to `most`.
Tensor lengths(const char* what, const Tensor& given, int64_t samples, int64_t most) {
  const Tensor t = integers(what, given);
  check(t.dim() <= 1 && t.numel() == samples, kName, ": ", what, " must have ", samples, " elements, got ", t.sizes());
  if (!t.is_meta() && samples > 0) {
    const int64_t low = item(ops::amin(t)).to<int64_t>(), high = item(ops::amax(t)).to<int64_t>();
    check(low >= 0 && high <= most, kName, ": ", what, " must be within 0..", most, ", got ", low < 0 ? low : high);
  }
  return ops::reshape(t, {samples});
}

/// [N, L] true where row n has an element.
Tensor used(const Tensor& target_lengths, int64_t L) {
  const Tensor place = ops::arange(L, DType::Int64, target_lengths.device());
  return ops::lt(place, ops::unsqueeze(target_lengths, 1));
}

/// Targets one behind the other as rows [N, L].
Tensor in_rows(const Tensor& targets, const Tensor& target_lengths) {
  check(!targets.is_meta(), kName, ": concatenated targets need their lengths, which meta tensors do not have");
  const int64_t N = target_lengths.numel(), total = N ? item(ops::sum(target_lengths)).to<int64_t>() : 0;
  check(total == targets.numel(), kName, ": target_lengths add up to ", total, ", but there are ", targets.numel(),
        " targets");
  const int64_t L = N ? item(ops::amax(target_lengths)).to<int64_t>() : 0;
  if (total == 0) return empty({N, 0}, DType::Int64, targets.device());
  const Tensor first = ops::cumsum(target_lengths, 0) - target_lengths + 1;
  const Tensor place = ops::unsqueeze(first, 1) + ops::arange(L, DType::Int64, targets.device());
  const Tensor safe = ops::where(used(target_lengths, L), place, 1);
  return ops::reshape(ops::index_select(targets, 0, ops::reshape(safe, {N * L})), {N, L});
}

Tensor checked_targets(const Tensor& given, const Tensor& target_lengths, int64_t samples, int64_t classes) {
  Tensor rows = given.dim() == 1 ? in_rows(given, target_lengths) : given;
  check(rows.dim() == 2 && rows.size(0) == samples, kName, ": targets must be [N, L] or concatenated, N = ", samples,
        ", got ", given.sizes());
  rows = ops::where(used(target_lengths, rows.size(1)), rows, 1);
  check_classes(kName, rows, classes, 1);
  return dense(rows);
}

std::tuple<Tensor, Tensor> ctc_forward(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                                       const Tensor& target_lengths, int64_t blank, bool) {
  const int64_t T = log_probs.size(0), N = log_probs.size(1), L = targets.size(1);
  const Tensor losses = empty({N}, log_probs.dtype(), log_probs.device());
  const Tensor log_alpha = empty({N, T, 2 * L + 1}, log_probs.dtype(), log_probs.device());
  slots::ctc_loss(losses, log_alpha, dense(log_probs), targets, input_lengths, target_lengths, blank);
  return {losses, log_alpha};
}

Tensor ctc_backward_forward(const Tensor& g, const Tensor& log_probs, const Tensor& targets,
                            const Tensor& input_lengths, const Tensor& target_lengths, const Tensor& losses,
                            const Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  const Tensor dx = empty(log_probs.sizes(), log_probs.dtype(), log_probs.device());
  slots::ctc_loss_backward(dx, dense(g), dense(log_probs), targets, input_lengths, target_lengths, losses, log_alpha,
                           blank, zero_infinity);
  return dx;
}

Tensor no_second_derivative(Tensor) { fail(kName, ": there is no second derivative"); }

// log_probs [T, N, C].
Tensor losses_of_batch(const Tensor& log_probs, const Tensor& given_targets, const Tensor& given_input_lengths,
                       const Tensor& given_target_lengths, int64_t blank, const std::string& reduction,
                       bool zero_infinity) {
  const int64_t T = log_probs.size(0), N = log_probs.size(1), C = log_probs.size(2);
  check(blank >= 0 && blank < C, kName, ": blank ", Counting::shown(blank), " is outside the classes 1..", C);
  const Tensor given = integers("targets", given_targets);
  const Tensor input_lengths = lengths("input_lengths", given_input_lengths, N, T);
  const Tensor target_lengths =
      lengths("target_lengths", given_target_lengths, N, given.dim() == 2 ? given.size(1) : given.numel());
  const Tensor targets = checked_targets(given, target_lengths, N, C);
  Tensor losses = ctc_kernel(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity);
  if (zero_infinity) losses = ops::where(ops::eq(losses, HUGE_VAL), 0, losses);
  if (reduction != "mean") return reduced(kName, losses, reduction);
  return ops::mean(losses / ops::to_dtype(ops::clamp(target_lengths, 1), losses.dtype()));
}

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank, const std::string& reduction, bool zero_infinity) {
  check(log_probs.dtype() == DType::Float32 || log_probs.dtype() == DType::Float64, kName,
        ": log_probs must be float32 or float64, got ", log_probs.dtype());
  check(log_probs.dim() == 2 || log_probs.dim() == 3, kName, ": log_probs must be [T, N, C] or [T, C], got ",
        log_probs.sizes());
  if (log_probs.dim() == 3)
    return losses_of_batch(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity);
  check(targets.dim() == 1, kName, ": log_probs [T, C] expect targets [L], got ", targets.sizes());
  const Tensor loss = losses_of_batch(ops::unsqueeze(log_probs, 1), ops::unsqueeze(targets, 0), input_lengths,
                                      target_lengths, blank, reduction, zero_infinity);
  return loss.dim() == 1 ? ops::squeeze(loss, 0) : loss;
}

Tensor tensor_of(const IntList& list) {
  const Tensor t = empty({static_cast<int64_t>(list.size())}, DType::Int64);
  std::copy(list.begin(), list.end(), t.data<int64_t>());
  return t;
}

}  // namespace

void define_ctc_loss(const Family& define) {
  define(
      "nn.functional.ctc_loss(Tensor log_probs, IndexTensor targets, Tensor input_lengths, Tensor target_lengths, "
      "Index blank=0, str reduction='mean', bool zero_infinity=False) -> Tensor")
      .doc(
          "The negative log likelihood of sequences of classes (Graves et al. 2006): log_probs [T, N, C] from "
          "log_softmax, "
          "targets [N, L] or one behind the other, lengths [N] (or lists) of both; without a batch [T, C] and [L]. "
          "'mean' "
          "divides by the targets' lengths first; `zero_infinity` makes 0 of targets that do not fit.")
      .example(
          "torch.nn.functional.ctc_loss(torch.randn(9, 1, 5):log_softmax(3), torch.tensor{{2, 3, 2}}:long(), {9}, {3})")
      .compose(ctc_loss);
  define(
      "nn.functional.ctc_loss:lists(Tensor log_probs, IndexTensor targets, int[] input_lengths, int[] target_lengths, "
      "Index blank=0, str reduction='mean', bool zero_infinity=False) -> Tensor")
      .compose([](const Tensor& log_probs, const Tensor& targets, const IntList& input_lengths,
                  const IntList& target_lengths, int64_t blank, const std::string& reduction, bool zero_infinity) {
        const Device device = log_probs.device();
        return ctc_loss(log_probs, targets, moved(tensor_of(input_lengths), device),
                        moved(tensor_of(target_lengths), device), blank, reduction, zero_infinity);
      });
  define(ctc_kernel,
         "_ctc_loss(Tensor log_probs, IndexTensor targets, IndexTensor input_lengths, IndexTensor target_lengths, "
         "int blank, bool zero_infinity) -> (Tensor losses, any log_alpha)")
      .doc("The loss of each sample, and the probabilities of the targets' beginnings.")
      .node("CtcLossBackward0")
      .forward(ctc_forward)
      .grad("log_probs", [](Tensor g, Result losses, Result log_alpha, Tensor log_probs, Tensor targets,
                            Tensor input_lengths, Tensor target_lengths, int64_t blank, bool zero_infinity) {
        return ctc_backward(g, log_probs, targets, input_lengths, target_lengths, losses, log_alpha, blank,
                            zero_infinity);
      });
  define(ctc_backward,
         "_ctc_loss_backward(Tensor grad_output, Tensor log_probs, IndexTensor targets, IndexTensor input_lengths, "
         "IndexTensor target_lengths, Tensor losses, Tensor log_alpha, int blank, bool zero_infinity) -> Tensor")
      .doc("The derivative of ctc_loss, of the scores before log_softmax.")
      .forward(ctc_backward_forward)
      .grad("grad_output", no_second_derivative)
      .grad("log_probs", no_second_derivative);
}

}  // namespace facula
