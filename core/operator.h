// Operators: declared once, known to everything. See docs/adding-an-operator.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/autograd.h"
#include "core/schema.h"
#include "core/slot.h"

namespace facula {

struct Operator;

/// Where a forward gets its results from: fresh tensors, the caller's `out=`, or `self` for in-place calls. See
/// Note [Results and their targets] in dispatch.cpp.
class Out {
 public:
  enum class Mode : uint8_t { Fresh, Given, InPlace };

  Out(const Operator& op, Mode mode, const Value* arguments, const Tensor* targets, int count)
      : op_(op), arguments_(arguments), targets_(targets), count_(count), mode_(mode) {}

  /// The tensor to write the (i-th) result into. Without a device it is that of the operator's tensors.
  Tensor make(const Sizes& sizes, DType dtype) { return make(0, sizes, dtype, device()); }
  Tensor make(const Sizes& sizes, DType dtype, Device device) { return make(0, sizes, dtype, device); }
  Tensor make(int i, const Sizes& sizes, DType dtype) { return make(i, sizes, dtype, device()); }
  Tensor make(int i, const Sizes& sizes, DType dtype, Device device);
  /// With the sizes and the device of `x`. `dtype` is not wider than its own.
  Tensor make_alike(const Tensor& x, DType dtype) {
    return mode_ == Mode::Fresh && x.is_contiguous() ? empty_alike(x, dtype) : make(0, x.sizes(), dtype, x.device());
  }
  /// Of the first tensor argument that is not a plain CPU number; the CPU if there is none.
  Device device() const;
  Mode mode() const { return mode_; }

 private:
  const Operator& op_;
  const Value* arguments_;
  const Tensor* targets_;
  int count_;
  Mode mode_;
};

/// How a pointwise operator finds its compute dtype and its result's.
struct Promotion {
  enum class Compute : uint8_t {
    Common,
    Float
  } compute = Compute::Common;                                             ///< Float: integers become the default dtype
  enum class Result : uint8_t { Same, Bool, Real } result = Result::Same;  ///< Real: complex gives its real dtype
  Category least = Category::Bool, most = Category::Complex;               ///< accepted kinds, after promotion
};
inline constexpr Promotion kArithmetic{};
inline constexpr Promotion kFloat{Promotion::Compute::Float};
inline constexpr Promotion kRealFloat{Promotion::Compute::Float, Promotion::Result::Same, Category::Bool,
                                      Category::Floating};
inline constexpr Promotion kReal{Promotion::Compute::Common, Promotion::Result::Same, Category::Bool,
                                 Category::Floating};
inline constexpr Promotion kNumber{Promotion::Compute::Common, Promotion::Result::Same, Category::Integral};
inline constexpr Promotion kBits{Promotion::Compute::Common, Promotion::Result::Same, Category::Bool,
                                 Category::Integral};
inline constexpr Promotion kInteger{Promotion::Compute::Common, Promotion::Result::Same, Category::Integral,
                                    Category::Integral};
inline constexpr Promotion kRealNumber{Promotion::Compute::Common, Promotion::Result::Same, Category::Integral,
                                       Category::Floating};
inline constexpr Promotion kFractional{Promotion::Compute::Common, Promotion::Result::Same, Category::Floating,
                                       Category::Floating};
inline constexpr Promotion kMagnitude{Promotion::Compute::Common, Promotion::Result::Real, Category::Integral};
inline constexpr Promotion kAngle{Promotion::Compute::Float, Promotion::Result::Real};
inline constexpr Promotion kPredicate{Promotion::Compute::Common, Promotion::Result::Bool};
inline constexpr Promotion kOrder{Promotion::Compute::Common, Promotion::Result::Bool, Category::Bool,
                                  Category::Floating};

/// The output, as a derivative's parameter.
struct Result : Tensor {};

class OpNode;
/// What a derivative is called with.
struct GradCall {
  const Tensors& gradients;  // of the differentiable results
  OpNode& node;
};

/// What is kept of an argument for the derivatives.
enum class Save : uint8_t { Nothing, Meta, Value };

struct Derivative {
  int input = -1;                                            // parameter
  Tensors (*call)(void (*fn)(), const GradCall&) = nullptr;  // one gradient, or one for each tensor of a list
  void (*fn)() = nullptr;
  std::vector<Save> arguments;  // by parameter
  int results = 0;              // how many outputs are kept
};

struct Operator {
  Schema schema;
  std::string doc;
  std::string example;
  std::vector<std::string> aliases;  // other names in the same notation
  std::string node_name;             // `AddBackward0`

  void (*invoke)(const Operator&, Out&, const Value*, Results&) = nullptr;
  void (*fn)() = nullptr;  // the forward behind `invoke`
  const PointwiseSlot* slot = nullptr;
  Promotion promotion;
  bool is_pointwise = false;  // reads each element before it writes it: the result may be an input
  bool is_view = false;       // results share the first argument's storage
  bool is_composite = false;  // differentiable because what it calls is
  bool is_in_place = false;   // changes `self` by its own name (`fill_`)
  bool any_device = false;    // tensors may be on different devices (`copy_`)
  std::vector<Derivative> derivatives;

  // From the schema, for dispatch.
  std::vector<int> tensors;  // parameters that are tensors or lists of them
  std::vector<int> dims;     // parameters of type Dim and NewDim
  int differentiable_results = 0;
  int requires_grad_option = -1;  // creation: the parameter `requires_grad`, not handed to the forward
  int in_place_option = -1;       // the parameter `inplace`, likewise: when it is true, the first argument is changed

  bool has_self() const {
    return !schema.parameters.empty() && schema.parameters[0].is_tensor() && !schema.parameters[0].list;
  }
  /// How many parameters the forward takes: the first ones.
  size_t handed_on() const {
    return schema.parameters.size() - (requires_grad_option >= 0 ? 1 : 0) - (in_place_option >= 0 ? 1 : 0);
  }
  /// Is there a `name_`? Every operator with a tensor `self` and one tensor result has it.
  bool has_in_place() const { return in_place_form; }
  /// Is there `out=`? Every operator whose results are tensors and no views has it.
  bool has_out() const { return out_form; }

  bool compares_devices = false, in_place_form = false,
       out_form = false;  // from the rest, once the declaration is complete
};

/// Calls an operator: the one door that everything goes through. `arguments` holds a value for each parameter, with
/// defaults filled in and lists conformed; it is changed (dims are wrapped).
void call(const Operator& op, Value* arguments, Results& results);
/// `self` (the first argument) receives the result.
void call_in_place(const Operator& op, Value* arguments, Results& results);
/// `targets` receive the results: resized if their sizes differ, an error if their dtype cannot hold them.
void call_out(const Operator& op, Value* arguments, const Tensors& targets, Results& results);
/// An error if tensors are on different devices; CPU tensors of no dimension outside of lists are numbers in effect. Pointwise operators
/// with a slot ask for it themselves, where their inputs are not alike.
void check_devices(const Operator& op, const Value* arguments);
/// Puts defaults where arguments are missing and conforms the others; fails for what is required or of the wrong type.
void complete(const Operator& op, Value* arguments);

/// Sees every call, in whatever thread it is made; for tracing and profiling. What began ends, also when it fails.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void before(const Operator& op, const Value* arguments) = 0;
  /// `results` is null where the call failed.
  virtual void after(const Operator& op, const Results* results) noexcept = 0;
  /// A stretch of the program with a name, such as a node of the graph on the way back.
  virtual void enter(const std::string& name) = 0;
  virtual void leave() noexcept = 0;
};
/// One per process, null for none.
void set_observer(Observer* observer);
Observer* current_observer();

/// Would a call with `x` as its only tensor be neither observed nor recorded? A view of it may then be made without one.
bool is_plain(const Tensor& x);
/// Notes that `view` shows elements of `self`, of the same dtype: in-place changes of one may have to reach the other's
/// history.
void track_view(const Tensor& self, const Tensor& view);

/// All operators, by name. Overloads of one name stand in the order of their declaration.
class Registry {
 public:
  Operator& add(std::string_view schema);
  /// Operators of that name or alias, empty if there are none.
  const std::vector<const Operator*>& find(std::string_view name) const;
  const std::vector<std::unique_ptr<Operator>>& all() const { return operators_; }
  const std::map<std::string, std::vector<const Operator*>, std::less<>>& names() const { return names_; }
  void finish();

 private:
  std::vector<std::unique_ptr<Operator>> operators_;
  std::map<std::string, std::vector<const Operator*>, std::less<>> names_;
};
/// Built at the first call.
const Registry& registry();

/// An operator as a C++ function: arguments in the schema's order, defaults for those left off or written `{}`.
struct Op {
  const Operator* op = nullptr;

  Tensor operator()(Value a0 = {}, Value a1 = {}, Value a2 = {}, Value a3 = {}, Value a4 = {}, Value a5 = {},
                    Value a6 = {}, Value a7 = {}, Value a8 = {}) const;
  /// The same, changing the first argument; returns it.
  Tensor in_place(Value a0, Value a1 = {}, Value a2 = {}, Value a3 = {}, Value a4 = {}) const;
  /// All results.
  Results all(std::initializer_list<Value> arguments) const;
};

}  // namespace facula
