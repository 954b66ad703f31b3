// A message is the tensors' elements, each run aligned, and behind them the description: values one behind the other, each a
// tag and what it needs. The description knows tensors by the place of their elements.
#include "interp/message.h"

#include <cmath>
#include <cstring>

#include "core/autograd.h"
#include "core/ops.h"
#include "interp/memory.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

enum Tag : char { kNil, kFalse, kTrue, kNumber, kInt64, kString, kDType, kTensor, kTable };

constexpr int kMaxDepth = 100;              // of tables; also ends those that hold themselves
constexpr int64_t kDearness = 4;            // of shared memory: two processes map it, and fresh pages are slow
constexpr size_t kWorthViewing = 16 << 10;  // smaller ones are copied in less time than a view needs

class Packer {
 public:
  Packer(lua_State* L, State& S) : L_(L), S_(S) {}

  void values(int first) {
    for (int i = first, last = lua_gettop(L_); i <= last; ++i) value(i, 0);
  }
  /// Of all that was written, which this object keeps.
  const Parcel& parcel() {
    parcel_.add(description_.data(), description_.size());
    return parcel_;
  }

 private:
  template <class T>
  void put(const T& v) {
    description_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void put_string(std::string_view s) {
    put<uint64_t>(s.size());
    description_.append(s);
  }

  void value(int index, int depth) {
    switch (lua_type(L_, index)) {
      case LUA_TNIL: return put(kNil);
      case LUA_TBOOLEAN: return put(lua_toboolean(L_, index) ? kTrue : kFalse);
      case LUA_TNUMBER: put(kNumber); return put(lua_tonumber(L_, index));
      case LUA_TSTRING: put(kString); return put_string(to_string(L_, index));
      case LUA_TTABLE: return table(index, depth);
      default: return object(index);
    }
  }

  void object(int index) {
    int64_t integer;
    if (const Tensor* x = to_tensor(L_, S_, index)) return tensor(*x);
    if (const DType* t = to_dtype(L_, S_, index)) {
      put(kDType);
      return put(*t);
    }
    check(to_integer(L_, S_, index, integer),
          "between processes go tensors, numbers, strings, booleans and tables, this is ", describe(L_, S_, index),
          place());
    put(kInt64);
    put(integer);
  }

  void tensor(const Tensor& x) {
    check(x.is_cpu(), "tensors between processes are on the cpu, this is on ", x.device(), place());
    check(!requires_grad(x), "a tensor that requires a gradient has no history in another process; detach it", place());
    kept_.push_back(ops::contiguous(x));
    put(kTensor);
    put(x.dtype());
    put(static_cast<uint8_t>(x.dim()));
    for (const int64_t n : x.sizes()) put(n);
    put<uint64_t>(parcel_.add(kept_.back().bytes(), static_cast<size_t>(x.numel() * x.item_size())));
  }

  // The positions from 1 on, then the other fields.
  void table(int index, int depth) {
    check(depth < kMaxDepth && lua_checkstack(L_, 4), "tables between processes are nested ", kMaxDepth,
          " deep at most, and not within themselves", place());
    const int t = index < 0 ? lua_gettop(L_) + 1 + index : index;
    check_plain(t);
    const auto length = static_cast<int>(lua_objlen(L_, t));
    put(kTable);
    put(length);
    path_.emplace_back();
    for (int i = 1; i <= length; ++i) {
      lua_rawgeti(L_, t, i);
      path_.back() = {nullptr, static_cast<lua_Number>(i)};
      value(-1, depth + 1);
      lua_pop(L_, 1);
    }
    fields(t, length, depth);
    path_.pop_back();
  }

  void fields(int t, int length, int depth) {
    const size_t count_at = description_.size();
    uint64_t count = 0;
    put(count);
    lua_pushnil(L_);
    while (lua_next(L_, t) != 0) {
      const int kind = lua_type(L_, -2);
      const lua_Number position = kind == LUA_TNUMBER ? lua_tonumber(L_, -2) : 0;
      const bool listed = position >= 1 && position <= length && position == std::floor(position);
      if (!listed) {
        check(kind == LUA_TSTRING || kind == LUA_TNUMBER || kind == LUA_TBOOLEAN,
              "tables between processes have strings, numbers and booleans for keys, not ", describe(L_, S_, -2),
              place());
        path_.back() = {kind == LUA_TSTRING ? lua_tostring(L_, -2) : nullptr, position};
        value(-2, depth + 1);
        value(-1, depth + 1);
        ++count;
      }
      lua_pop(L_, 1);
    }
    std::memcpy(description_.data() + count_at, &count, sizeof count);
  }

  void check_plain(int t) {
    if (!lua_getmetatable(L_, t)) return;
    const bool sizes = lua_topointer(L_, -1) == S_.size.address;
    lua_getfield(L_, -1, "__name");
    const std::string name = lua_isstring(L_, -1) ? lua_tostring(L_, -1) : "a class";
    lua_pop(L_, 2);
    check(sizes, "objects do not go between processes, only plain tables; this is one of ", name, place());
  }

  // ` (at .image[2])`
  std::string place() const {
    if (path_.empty()) return {};
    std::string out = " (at ";
    for (size_t i = 0; i < std::min<size_t>(path_.size(), 8); ++i) {
      const Step& step = path_[i];
      out += step.name ? text('.', step.name) : text('[', step.position, ']');
    }
    return out + (path_.size() > 8 ? "...)" : ")");
  }

  struct Step {
    const char* name = nullptr;
    lua_Number position = 0;
  };

  lua_State* L_;
  State& S_;
  std::string description_;
  Parcel parcel_;
  Tensors kept_;
  std::vector<Step> path_;
};

class Unpacker {
 public:
  Unpacker(lua_State* L, State& S, const Delivery& delivery)
      : L_(L), S_(S), delivery_(delivery), at_(delivery.bytes + delivery.last), end_(delivery.bytes + delivery.size) {}

  int values() {
    int count = 0;
    for (; at_ < end_; ++count) {
      check(lua_checkstack(L_, 8), "a message has too many values");
      value(0);
    }
    return count;
  }

 private:
  const char* take(size_t n) {
    check(n <= static_cast<size_t>(end_ - at_), "a message is cut off");
    return std::exchange(at_, at_ + n);
  }
  template <class T>
  T get() {
    T v;
    std::memcpy(&v, take(sizeof v), sizeof v);
    return v;
  }

  void value(int depth) {
    check(depth <= kMaxDepth && lua_checkstack(L_, 8), "a message is nested too deep");
    switch (get<Tag>()) {
      case kNil: return lua_pushnil(L_);
      case kFalse: return lua_pushboolean(L_, 0);
      case kTrue: return lua_pushboolean(L_, 1);
      case kNumber: return lua_pushnumber(L_, get<lua_Number>());
      case kInt64: return push_integer(L_, S_, get<int64_t>());
      case kString: {
        const auto n = get<uint64_t>();
        return lua_pushlstring(L_, take(n), n);
      }
      case kDType: return push_dtype(L_, S_, get<DType>());
      case kTensor: return push_tensor(L_, S_, tensor());
      case kTable: return table(depth);
    }
    fail("a message has a value of unknown kind");
  }

  Tensor tensor() {
    const auto dtype = get<DType>();
    Sizes sizes(get<uint8_t>());
    for (int64_t& n : sizes) n = get<int64_t>();
    const auto place = get<uint64_t>();
    const size_t bytes = static_cast<size_t>(numel_of(sizes) * item_size(dtype));
    check(place <= delivery_.size && bytes <= delivery_.size - place, "a tensor reaches beyond its message");
    char* const elements = delivery_.bytes + place;
    if (!delivery_.lasting || bytes < kWorthViewing) {
      Tensor copy = empty(sizes, dtype);
      if (bytes) std::memcpy(copy.bytes(), elements, bytes);
      return copy;
    }
    note_foreign_memory(S_, kDearness * static_cast<int64_t>(bytes));
    return borrow(elements, sizes, contiguous_strides(sizes), dtype, Device(), [lease = delivery_.lease] {});
  }

  void table(int depth) {
    const auto length = get<int>();
    lua_createtable(L_, length, 0);
    for (int i = 1; i <= length; ++i) {
      value(depth + 1);
      lua_rawseti(L_, -2, i);
    }
    for (auto count = get<uint64_t>(); count > 0; --count) {
      value(depth + 1);
      value(depth + 1);
      lua_rawset(L_, -3);
    }
  }

  lua_State* L_;
  State& S_;
  const Delivery& delivery_;
  const char *at_, *end_;
};

}  // namespace

bool send_values(lua_State* L, State& S, Channel& channel, int first) {
  Packer packer(L, S);
  packer.values(first);
  return channel.send(packer.parcel());
}

int push_values(lua_State* L, State& S, const Delivery& delivery) { return Unpacker(L, S, delivery).values(); }

}  // namespace facula::interp
