/**
 * facula.hpp: facula.h for C++17, header only. Handles are objects, failures exceptions, Lua values a variant.
 *
 *     facula::State lua;
 *     lua.run_file("model.lua");
 *     std::vector<float> image(784);
 *     facula::Tensor x = lua.wrap(image.data(), {1, 784});  // no copy
 *     facula::Tensor y = lua.call<facula::Tensor>("predict", x);
 *
 * What facula.h says of threads, lifetimes and counting holds here too.
 */
#ifndef FACULA_HPP
#define FACULA_HPP

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "facula.h"

namespace facula {

/** A call that failed: its text, code, and where the script was. */
class Error : public std::runtime_error {
 public:
  Error(facula_status code, const std::string& message, std::string where = {})
      : std::runtime_error(message), status_(code), traceback_(std::move(where)) {}
  facula_status status() const { return status_; }
  const std::string& traceback() const { return traceback_; }

 private:
  facula_status status_;
  std::string traceback_;
};

template <class T>
struct dtype_of;
template <>
struct dtype_of<bool> : std::integral_constant<facula_dtype, FACULA_BOOL> {};
template <>
struct dtype_of<std::uint8_t> : std::integral_constant<facula_dtype, FACULA_UINT8> {};
template <>
struct dtype_of<std::int8_t> : std::integral_constant<facula_dtype, FACULA_INT8> {};
template <>
struct dtype_of<std::int16_t> : std::integral_constant<facula_dtype, FACULA_INT16> {};
template <>
struct dtype_of<std::int32_t> : std::integral_constant<facula_dtype, FACULA_INT32> {};
template <>
struct dtype_of<std::int64_t> : std::integral_constant<facula_dtype, FACULA_INT64> {};
template <>
struct dtype_of<float> : std::integral_constant<facula_dtype, FACULA_FLOAT32> {};
template <>
struct dtype_of<double> : std::integral_constant<facula_dtype, FACULA_FLOAT64> {};

/** A reference to a tensor; copies share it. Outlives its state. */
class Tensor {
 public:
  Tensor() = default;
  /** Takes a handle over. */
  explicit Tensor(facula_tensor* handle) : handle_(handle) {}
  Tensor(const Tensor& other) : handle_(facula_tensor_retain(other.get())) {}
  Tensor(Tensor&& other) noexcept = default;
  Tensor& operator=(Tensor other) noexcept {
    handle_ = std::move(other.handle_);
    return *this;
  }

  facula_tensor* get() const { return handle_.get(); }
  /** Gives the handle away. */
  facula_tensor* leave() { return handle_.release(); }
  explicit operator bool() const { return handle_ != nullptr; }

  facula_dtype dtype() const { return static_cast<facula_dtype>(facula_tensor_dtype(get())); }
  int dim() const { return facula_tensor_dim(get()); }
  std::int64_t size(int d) const { return facula_tensor_size(get(), d); }
  std::int64_t stride(int d) const { return facula_tensor_stride(get(), d); }
  std::int64_t numel() const { return facula_tensor_numel(get()); }
  std::vector<std::int64_t> sizes() const {
    std::vector<std::int64_t> all;
    for (int d = 0; d < dim(); ++d) all.push_back(size(d));
    return all;
  }
  /** Address of the first element. Errors: elements of another type. */
  template <class T>
  T* data() const {
    if (dtype() != dtype_of<T>::value) throw Error(FACULA_INVALID, "Tensor::data: the elements are of another type");
    return static_cast<T*>(facula_tensor_data(get()));
  }

 private:
  struct Release {
    void operator()(facula_tensor* t) const { facula_tensor_release(t); }
  };
  std::unique_ptr<facula_tensor, Release> handle_;
};

/** Keeps a Lua value alive; copies share it. Released before its state, or after. */
class Reference {
 public:
  Reference() = default;
  /** Takes a handle over. */
  explicit Reference(facula_reference* handle) : handle_(handle, &facula_reference_release) {}
  facula_reference* get() const { return handle_.get(); }

 private:
  std::shared_ptr<facula_reference> handle_;
};

/** nil, boolean, number, integer, string, tensor, or a reference to anything else. */
using Value = std::variant<std::monostate, bool, double, std::int64_t, std::string, Tensor, Reference>;
using Values = std::vector<Value>;
/** A function of the host. What it throws becomes an error in the script. */
using Function = std::function<Values(const Values&)>;

namespace detail {

/** For the length of a call: the value lends its string, tensor or reference. */
inline facula_value lent(const Value& v) {
  facula_value out = {FACULA_NIL, {}};
  out.type = static_cast<facula_type>(v.index());
  switch (out.type) {
    case FACULA_NIL: break;
    case FACULA_BOOLEAN: out.as.boolean = std::get<bool>(v); break;
    case FACULA_NUMBER: out.as.number = std::get<double>(v); break;
    case FACULA_INTEGER: out.as.integer = std::get<std::int64_t>(v); break;
    case FACULA_STRING: out.as.string = {std::get<std::string>(v).data(), std::get<std::string>(v).size()}; break;
    case FACULA_TENSOR: out.as.tensor = std::get<Tensor>(v).get(); break;
    case FACULA_REFERENCE: out.as.reference = std::get<Reference>(v).get(); break;
  }
  return out;
}

inline std::vector<facula_value> lent(const Values& values) {
  std::vector<facula_value> all;
  for (const Value& v : values) all.push_back(lent(v));
  return all;
}

/** Takes over what the value holds, and leaves nil. */
inline Value taken(facula_value& v) {
  const facula_type type = std::exchange(v.type, FACULA_NIL);
  switch (type) {
    case FACULA_BOOLEAN: return v.as.boolean != 0;
    case FACULA_NUMBER: return v.as.number;
    case FACULA_INTEGER: return v.as.integer;
    case FACULA_TENSOR: return Tensor(v.as.tensor);
    case FACULA_REFERENCE: return Reference(v.as.reference);
    case FACULA_STRING: {
      v.type = type;
      std::string copy(v.as.string.bytes, v.as.string.length);
      facula_value_release(&v);
      return copy;
    }
    default: return {};
  }
}

/** Values that come out of a call. */
struct Results {
  explicit Results(std::size_t n) : values(n) {}
  ~Results() {
    for (facula_value& v : values) facula_value_release(&v);
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  Values take() {
    Values all;
    for (facula_value& v : values) all.push_back(taken(v));
    return all;
  }
  std::vector<facula_value> values;
};

inline Value value_of(Value v) { return v; }
inline Value value_of(std::string_view s) { return std::string(s); }
inline Value value_of(const char* s) { return std::string(s); }
inline Value value_of(bool b) { return b; }
inline Value value_of(double d) { return d; }
inline Value value_of(int i) { return static_cast<double>(i); }
inline Value value_of(std::int64_t i) { return i; }

}  // namespace detail

/** An interpreter; see facula_open. */
class State {
 public:
  State() : State(defaults()) {}
  explicit State(const facula_options& options) {
    facula_state* S = nullptr;
    const facula_status status = facula_open(&options, &S);
    if (status != FACULA_OK) throw Error(status, facula_message(nullptr));
    state_.reset(S);
  }
  facula_state* get() const { return state_.get(); }
  /** Options to be changed and handed in. */
  static facula_options defaults() {
    facula_options options = {};
    options.size = sizeof options;
    return options;
  }

  void run(const std::string& code, const char* chunk_name = nullptr) {
    check(facula_run_buffer(get(), code.data(), code.size(), chunk_name));
  }
  void run_file(const std::string& path) { check(facula_run_file(get(), path.c_str())); }
  /** From any thread; see facula_interrupt. */
  void interrupt() { facula_interrupt(get()); }

  Value get_global(const std::string& name) {
    detail::Results result(1);
    check(facula_get(get(), name.c_str(), result.values.data()));
    return detail::taken(result.values[0]);
  }
  template <class T>
  void set_global(const std::string& name, T&& value) {
    const Value v = detail::value_of(std::forward<T>(value));
    const facula_value host = detail::lent(v);
    check(facula_set(get(), name.c_str(), &host));
  }

  /** Calls the Lua function or operator at `name`; its first `results` results. */
  Values call_values(const std::string& name, const Values& arguments, std::size_t results) {
    const std::vector<facula_value> in = detail::lent(arguments);
    detail::Results out(results);
    check(facula_call_values(get(), name.c_str(), in.data(), in.size(), out.values.data(), results));
    return out.take();
  }
  Values call_values(const Reference& function, const Values& arguments, std::size_t results) {
    const std::vector<facula_value> in = detail::lent(arguments);
    detail::Results out(results);
    check(facula_call_reference(get(), function.get(), in.data(), in.size(), out.values.data(), results));
    return out.take();
  }
  /** The first result, which must be an R. `call("f", x, 2, "sum")`. */
  template <class R = Value, class... Arguments>
  R call(const std::string& name, Arguments&&... arguments) {
    Values results = call_values(name, {detail::value_of(std::forward<Arguments>(arguments))...}, 1);
    if constexpr (std::is_same_v<R, Value>) {
      return std::move(results[0]);
    } else {
      if (R* r = std::get_if<R>(&results[0])) return std::move(*r);
      throw Error(FACULA_ERROR, name + ": the result is of another type than expected");
    }
  }

  /** Makes a function of the host a global, or a field at a path of globals. */
  void define(const std::string& name, Function function) {
    auto kept = std::make_unique<Function>(std::move(function));
    check(facula_register(get(), name.c_str(), &State::call_host, kept.get(), &State::forget<Function>));
    kept.release();
  }

  /** A tensor over the host's memory, dense if `strides` is empty; `done` runs when its last user is gone. */
  template <class T>
  Tensor wrap(T* data, const std::vector<std::int64_t>& sizes, std::function<void()> done = {},
              const std::vector<std::int64_t>& strides = {}) {
    const facula_view view = {sizeof(facula_view), data,
                              dtype_of<T>::value,  static_cast<int>(sizes.size()),
                              sizes.data(),        strides.empty() ? nullptr : strides.data()};
    auto kept = done ? std::make_unique<std::function<void()>>(std::move(done)) : nullptr;
    facula_tensor* out = nullptr;
    check(facula_tensor_wrap(get(), &view, kept ? &State::run_done : nullptr, kept.get(), &out));
    kept.release();
    return Tensor(out);
  }
  /** The elements in row-major order. Errors: elements of another type. */
  template <class T>
  std::vector<T> read(const Tensor& t) {
    if (t.dtype() != dtype_of<T>::value) throw Error(FACULA_INVALID, "State::read: the elements are of another type");
    std::vector<T> elements(static_cast<std::size_t>(t.numel()));
    check(facula_tensor_read(get(), t.get(), elements.data(), elements.size() * sizeof(T)));
    return elements;
  }

 private:
  void check(facula_status status) const {
    if (status == FACULA_OK) return;
    // A thread that is not inside the state may not look at what it says.
    if (status == FACULA_BUSY) throw Error(status, facula_message(nullptr));
    throw Error(status, facula_message(get()), facula_traceback(get()));
  }

  template <class T>
  static void forget(void* user) {
    delete static_cast<T*>(user);
  }
  static void run_done(void* user) {
    const std::unique_ptr<std::function<void()>> done(static_cast<std::function<void()>*>(user));
    (*done)();
  }
  static facula_status call_host(facula_state* S, const facula_value* in, size_t n_in, facula_value* out, size_t* n_out,
                                 void* user) {
    Values arguments;
    for (size_t i = 0; i < n_in; ++i) arguments.push_back(copied(S, in[i]));
    // Strings must stay until facula has copied them, after the return.
    static thread_local Values results;
    results = (*static_cast<Function*>(user))(arguments);
    if (results.size() > FACULA_MAX_RESULTS) return facula_fail(S, "a host function gave too many results");
    for (Value& v : results) {
      facula_value& result = out[(*n_out)++];
      result = detail::lent(v);
      if (auto* t = std::get_if<Tensor>(&v)) t->leave();
      if (result.type == FACULA_REFERENCE) {
        facula_reference* again = nullptr;
        facula_reference_new(S, &result, &again);
        result.as.reference = again;
      }
    }
    return FACULA_OK;
  }
  /** A value of its own of what a host function is lent. */
  static Value copied(facula_state* S, const facula_value& v) {
    facula_value own = v;
    if (v.type == FACULA_STRING) return std::string(v.as.string.bytes, v.as.string.length);
    if (v.type == FACULA_TENSOR) own.as.tensor = facula_tensor_retain(v.as.tensor);
    if (v.type == FACULA_REFERENCE) facula_reference_new(S, &v, &own.as.reference);
    return detail::taken(own);
  }

  struct Close {
    void operator()(facula_state* S) const { facula_close(S); }
  };
  std::unique_ptr<facula_state, Close> state_;
};

}  // namespace facula

#endif
