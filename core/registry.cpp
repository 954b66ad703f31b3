#include <algorithm>
#include <cctype>
#include <cstring>

#include "core/custom_operator.h"
#include "core/define.h"
#include "core/ops/families.h"
#include "core/pointwise.h"

namespace facula {

static bool in_place_form_of(const Operator& op) {
  const Schema& s = op.schema;
  return op.has_self() && !op.is_in_place && (s.parameters[0].name == "self" || op.in_place_option >= 0) &&
         s.parameters[0].type != Type::IndexTensor && !s.parameters[0].optional && s.results.size() == 1 &&
         s.results[0].type == Type::Tensor && !s.results[0].list;
}

static bool out_form_of(const Operator& op) {
  const auto& results = op.schema.results;
  return !op.is_view && !op.is_in_place && !results.empty() &&
         std::all_of(results.begin(), results.end(), [](const ResultType& r) {
           return (r.type == Type::Tensor || r.type == Type::IndexTensor) && !r.list;
         });
}

// max_pool2d -> MaxPool2DBackward0 and add -> AddBackward0, as PyTorch names its nodes.
static std::string node_name_of(std::string_view name) {
  std::string s;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      s += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = std::isdigit(static_cast<unsigned char>(c)) != 0;
    }
  }
  return s + "Backward0";
}

void declare(Operator& op, std::string_view schema) {
  op.schema = parse_schema(schema);
  op.node_name = node_name_of(op.schema.short_name());
  op.is_in_place = op.schema.name.ends_with('_');
  const auto& parameters = op.schema.parameters;
  if (parameters.size() > kMaxArguments) fail("signature '", schema, "': more than ", kMaxArguments, " parameters");
  for (size_t i = 0; i < parameters.size(); ++i) {
    const int index = static_cast<int>(i);
    if (parameters[i].is_tensor()) op.tensors.push_back(index);
    if (parameters[i].type == Type::Dim || parameters[i].type == Type::NewDim) op.dims.push_back(index);
    if (parameters[i].name == "requires_grad") op.requires_grad_option = index;
    if (parameters[i].name == "inplace") op.in_place_option = index;
  }
  for (const ResultType& r : op.schema.results) op.differentiable_results += r.type == Type::Tensor;
}

Operator& Registry::add(std::string_view schema) {
  operators_.push_back(std::make_unique<Operator>());
  declare(*operators_.back(), schema);
  return *operators_.back();
}

static bool has_several_tensors(const Operator& op) {
  return op.tensors.size() > 1 ||
         (op.tensors.size() == 1 && op.schema.parameters[static_cast<size_t>(op.tensors[0])].list);
}

void complete_declaration(Operator& op) {
  if (!op.invoke) fail("operator ", op.schema.name, " has no forward");
  std::stable_sort(op.derivatives.begin(), op.derivatives.end(),
                   [](const Derivative& a, const Derivative& b) { return a.input < b.input; });
  op.compares_devices = !op.any_device && !op.slot && has_several_tensors(op);
  op.in_place_form = in_place_form_of(op);
  op.out_form = out_form_of(op);
}

// Names are known once all declarations have run: aliases come behind them.
void Registry::finish() {
  for (const auto& op : operators_) {
    complete_declaration(*op);
    names_[op->schema.name].push_back(op.get());
    for (const std::string& alias : op->aliases) names_[alias].push_back(op.get());
  }
}

const std::vector<const Operator*>& Registry::find(std::string_view name) const {
  static const std::vector<const Operator*> none;
  const auto found = names_.find(name);
  return found == names_.end() ? none : found->second;
}

const Registry& registry() {
  static const Registry* all = [] {
    auto* r = new Registry;
    define_all(Family(*r));
    r->finish();
    return r;
  }();
  return *all;
}

void Definition::check_arity(size_t n) const {
  const size_t expected = op_.handed_on();
  if (n != expected)
    fail("operator ", op_.schema.name, ": its forward takes ", n, " arguments, the schema has ", expected);
}

void Definition::add_derivative(const char* input, Derivative d) {
  d.input = op_.schema.find(input);
  if (d.input < 0) fail("operator ", op_.schema.name, ": derivative of '", input, "', which is no parameter");
  if (d.arguments.size() > op_.schema.parameters.size())
    fail("operator ", op_.schema.name, ": the derivative of '", input, "' takes more arguments than the schema has");
  op_.derivatives.push_back(std::move(d));
}

// The common case, of tensors that agree in dtype, device and sizes, takes them as they are. `lent` holds the bits of their
// handles without counting: six atomic operations would cost as much as a small kernel.
static bool invoke_alike(const Operator& op, Out& out, const Value* arguments, Results& results) {
  alignas(Tensor) std::byte lent[3 * sizeof(Tensor)];
  Scalar numbers[2];
  size_t tensors = 0, scalars = 0;
  const Tensor* first = nullptr;
  for (const Value *v = arguments, *end = arguments + op.handed_on(); v != end; ++v) {
    if (!v->is<Tensor>()) {
      if (scalars == std::size(numbers)) return false;
      numbers[scalars++] = v->get<Scalar>();
      continue;
    }
    const Tensor& x = v->get<Tensor>();
    if (x.impl()->is_number) return false;
    if (!first)
      first = &x;
    else if (x.dtype() != first->dtype() || x.device() != first->device() || !(x.sizes() == first->sizes()))
      return false;
    std::memcpy(lent + tensors++ * sizeof(Tensor), static_cast<const void*>(&x), sizeof(Tensor));
  }
  const Category kind = category(first->dtype());
  const Promotion& p = op.promotion;
  if (kind < p.least || kind > p.most || p.result == Promotion::Result::Real ||
      (p.compute == Promotion::Compute::Float && kind < Category::Floating))
    return false;
  const DType result = p.result == Promotion::Result::Bool ? DType::Bool : first->dtype();
  Tensor y = out.make_alike(*first, result);
  (*op.slot)(y, TensorSpan(reinterpret_cast<const Tensor*>(lent), tensors), ScalarSpan(numbers, scalars));
  results.push(std::move(y));
  return true;
}

static void invoke_pointwise(const Operator& op, Out& out, const Value* arguments, Results& results) {
  if (invoke_alike(op, out, arguments, results)) return;
  check_devices(op, arguments);
  Tensor inputs[3];
  Scalar numbers[4];
  size_t tensors = 0, scalars = 0;
  for (size_t i = 0; i < op.handed_on(); ++i) {
    if (arguments[i].is<Tensor>())
      inputs[tensors++] = arguments[i].get<Tensor>();
    else
      numbers[scalars++] = arguments[i].get<Scalar>();
  }
  results.push(pointwise(out, op.schema.name.c_str(), *op.slot, op.promotion, {inputs, tensors}, {numbers, scalars}));
}

Definition& Definition::pointwise(const PointwiseSlot& slot, Promotion promotion) {
  op_.slot = &slot;
  op_.promotion = promotion;
  op_.is_pointwise = true;
  op_.invoke = &invoke_pointwise;
  return *this;
}

}  // namespace facula
