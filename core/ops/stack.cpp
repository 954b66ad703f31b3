// Tensors side by side, by rows, columns and depth, and what gives them the dimensions to stand in.
#include "core/ops.h"
#include "core/ops/families.h"

namespace facula {
namespace {

Tensor with_dims_1(const Tensor& x) { return x.dim() == 0 ? ops::reshape(x, {1}) : x; }
Tensor with_dims_2(const Tensor& x) {
  if (x.dim() == 0) return ops::reshape(x, {1, 1});
  return x.dim() == 1 ? ops::unsqueeze(x, 0) : x;
}
Tensor with_dims_3(const Tensor& x) { return x.dim() < 3 ? ops::unsqueeze(with_dims_2(x), -1) : x; }

template <Tensor (*brought)(const Tensor&)>
Tensors each(const Tensors& tensors) {
  Tensors result;
  for (const Tensor& t : tensors) result.push_back(brought(t));
  return result;
}

Tensor hstack_of(const Tensors& tensors) {
  check(!tensors.empty(), "hstack: the list of tensors is empty");
  const Tensors rows = each<with_dims_1>(tensors);
  return ops::cat(rows, rows[0].dim() == 1 ? 0 : 1);
}
Tensor vstack_of(const Tensors& tensors) {
  check(!tensors.empty(), "vstack: the list of tensors is empty");
  return ops::cat(each<with_dims_2>(tensors), 0);
}
Tensor dstack_of(const Tensors& tensors) {
  check(!tensors.empty(), "dstack: the list of tensors is empty");
  return ops::cat(each<with_dims_3>(tensors), 2);
}
Tensor column_of(const Tensor& x) { return x.dim() < 2 ? ops::reshape(x, {x.numel(), 1}) : x; }
Tensor column_stack_of(const Tensors& tensors) {
  check(!tensors.empty(), "column_stack: the list of tensors is empty");
  return ops::cat(each<column_of>(tensors), 1);
}

struct AtLeast {
  const char* schema;
  const char* list_schema;
  const char* doc;
  const char* example;
  Tensor (*one)(const Tensor&);
  Tensors (*list)(const Tensors&);
};
constexpr AtLeast kAtLeast[] = {
    {"atleast_1d(Tensor self) -> Tensor", "atleast_1d:list(Tensor[]... tensors) -> Tensor[]",
     "`self` with at least one dimension; of several tensors a list of such.", "torch.atleast_1d(torch.tensor(3))",
     with_dims_1, each<with_dims_1>},
    {"atleast_2d(Tensor self) -> Tensor", "atleast_2d:list(Tensor[]... tensors) -> Tensor[]",
     "`self` with at least two dimensions, new ones in front; of several tensors a list of such.",
     "torch.atleast_2d(torch.arange(3))", with_dims_2, each<with_dims_2>},
    {"atleast_3d(Tensor self) -> Tensor", "atleast_3d:list(Tensor[]... tensors) -> Tensor[]",
     "`self` with at least three dimensions: a vector of n becomes (1, n, 1), a matrix (m, n, 1); of several tensors a "
     "list.",
     "torch.atleast_3d(torch.ones(2, 2)).shape", with_dims_3, each<with_dims_3>},
};

}  // namespace

void define_stack(const Family& define) {
  for (const AtLeast& a : kAtLeast) {
    define(a.schema).doc(a.doc).example(a.example).compose(a.one);
    define(a.list_schema).compose(a.list);
  }
  define("hstack(Tensor[] tensors) -> Tensor")
      .doc("Tensors side by side: vectors in their only dimension, others in the second.")
      .example("torch.hstack({torch.zeros(2, 1), torch.ones(2, 3)})")
      .compose(hstack_of);
  define("vstack(Tensor[] tensors) -> Tensor")
      .doc("Tensors one below the other, in the first dimension; vectors are rows.")
      .example("torch.vstack{torch.tensor{1, 2}, torch.tensor{3, 4}}")
      .alias("row_stack")
      .compose(vstack_of);
  define("dstack(Tensor[] tensors) -> Tensor")
      .doc("Tensors one behind the other, in the third dimension. See atleast_3d.")
      .example("torch.dstack{torch.tensor{1, 2}, torch.tensor{3, 4}}")
      .compose(dstack_of);
  define("column_stack(Tensor[] tensors) -> Tensor")
      .doc("Tensors side by side in the second dimension; vectors and numbers are columns.")
      .example("torch.column_stack{torch.tensor{1, 2}, torch.tensor{3, 4}}")
      .compose(column_stack_of);
}

}  // namespace facula
