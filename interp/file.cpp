#include "interp/file.h"

#include <bit>
#include <cstring>
#include <memory>

#include "core/iterator.h"
#include "core/mapped_file.h"
#include "core/zip.h"
#include "interp/number.h"
#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr uint64_t kLongestString = uint64_t{1} << 30;  // Lua's own bound is at twice that

// The file or archive that a method is called for.
template <class T>
T& self(Call& c, Metatable State::*type) {
  const auto* p = static_cast<std::shared_ptr<T>*>(to_object(c.L, c.S.*type, c.source(0)));
  check(p && *p, c.function.name, ": expected an open file, got ", describe(c.L, c.S, c.source(0)));
  return **p;
}

uint64_t count(Call& c, int i, const char* what) {
  const auto n = c.get<int64_t>(i);
  check(n >= 0, c.function.name, ": ", what, ' ', n, " is negative");
  return static_cast<uint64_t>(n);
}

// ---- plain files ---------------------------------------------------------------------------------------------------------

MappedFile& file(Call& c) { return self<MappedFile>(c, &State::file); }

int open_file(Call& c) {
  push_object(c.L, c.S.file, std::make_shared<MappedFile>(c.get<std::string>(0), c.get<std::string>(1)));
  return 1;
}

int file_size(Call& c) { return c.returns(static_cast<int64_t>(file(c).size())); }

int file_read(Call& c) {
  const uint64_t size = count(c, 2, "count");
  check(size <= kLongestString, "read: ", size, " bytes are too many for a string");
  push_string(c.L, file(c).bytes(count(c, 1, "offset"), size));
  return 1;
}

int file_tensor(Call& c) {
  return c.returns(file(c).tensor(count(c, 1, "offset"), c.get<DType>(2), c.get<IntList>(3), c.get<bool>(4)));
}

// ---- zip archives --------------------------------------------------------------------------------------------------------

struct ZipFile {
  ZipFile(const std::string& path, const std::string& operation) : file(path, operation), zip(file.input(), wrong) {
    check(wrong.empty(), operation, ": '", path, "' is not a zip archive, or only a part of one (", wrong, ")");
  }
  const ZipReader::Entry& entry(const std::string& name) {
    const ZipReader::Entry* found = zip.find(name);
    file.valid(found, name, " is missing");
    file.valid(found->packing != ZipReader::Packing::Unknown, name, " is encrypted or packed in an unknown way");
    return *found;
  }
  void read(const std::string& name, char* to) {
    file.valid(zip.read(entry(name), to), name, " cannot be read, or has another length or checksum");
  }

  MappedFile file;
  std::string wrong;
  ZipReader zip;
};

ZipFile& zip(Call& c) { return self<ZipFile>(c, &State::zip); }

int open_zip(Call& c) {
  push_object(c.L, c.S.zip, std::make_shared<ZipFile>(c.get<std::string>(0), c.get<std::string>(1)));
  return 1;
}

int zip_names(Call& c) {
  lua_newtable(c.L);
  int i = 0;
  for (const auto& [name, entry] : zip(c).zip.entries()) {
    push_string(c.L, name);
    lua_rawseti(c.L, -2, ++i);
  }
  return 1;
}

int zip_size(Call& c) {
  const ZipReader::Entry* found = zip(c).zip.find(c.get<std::string>(1));
  if (!found) return 0;
  return c.returns(static_cast<int64_t>(found->size));
}

int zip_head(Call& c) {
  ZipFile& z = zip(c);
  const uint64_t size = count(c, 2, "count");
  check(size <= kLongestString, "head: ", size, " bytes are too many for a string");
  push_string(c.L, z.zip.head(z.entry(c.get<std::string>(1)), size));
  return 1;
}

int zip_read(Call& c) {
  ZipFile& z = zip(c);
  const auto name = c.get<std::string>(1);
  const uint64_t size = z.entry(name).size;
  z.file.valid(size <= kLongestString, name, " is too long");
  std::string out(size, '\0');
  z.read(name, out.data());
  push_string(c.L, out);
  return 1;
}

int zip_tensor(Call& c) {
  ZipFile& z = zip(c);
  const auto name = c.get<std::string>(1);
  const ZipReader::Entry& entry = z.entry(name);
  const Sizes sizes{static_cast<int64_t>(entry.size)};
  if (c.get<bool>(2) && entry.stored()) return c.returns(z.file.tensor(entry.start, DType::UInt8, sizes, true));
  const Tensor bytes = empty(sizes, DType::UInt8);
  z.read(name, bytes.bytes());
  return c.returns(bytes);
}

// ---- writing -------------------------------------------------------------------------------------------------------------

// The pieces of a file or an entry: the string or tensor at `index`, or the list of such.
class Pieces {
 public:
  Pieces(Call& c, int index) : c_(c), index_(index) {
    is_list_ = lua_istable(c.L, index);
    count_ = is_list_ ? static_cast<int>(lua_objlen(c.L, index)) : 1;
  }

  uint64_t size() {
    uint64_t total = 0;
    each([&](std::string_view s) { total += s.size(); }, [&](const Tensor& x) { total += byte_count(x); });
    return total;
  }
  template <class Write>
  void write(Write&& write) {
    each([&](std::string_view s) { write(s.data(), s.size()); },
         [&](const Tensor& x) { write(dense_on_host(x).bytes(), byte_count(x)); });
  }

 private:
  template <class OnString, class OnTensor>
  void each(OnString&& on_string, OnTensor&& on_tensor) {
    for (int i = 1; i <= count_; ++i) {
      if (is_list_)
        lua_rawgeti(c_.L, index_, i);
      else
        lua_pushvalue(c_.L, index_);
      const int at = lua_gettop(c_.L);
      const Tensor* x = to_tensor(c_.L, c_.S, at);
      check(x || lua_type(c_.L, at) == LUA_TSTRING, c_.function.name, ": piece ", i, " is ", describe(c_.L, c_.S, at),
            ", expected a string or a tensor");
      check(!x || !x->is_meta(), c_.function.name, ": a meta tensor has no elements");
      if (x)
        on_tensor(*x);
      else
        on_string(to_string(c_.L, at));
      lua_pop(c_.L, 1);
    }
  }

  Call& c_;
  int index_, count_;
  bool is_list_;
};

int write_pieces(Call& c) {
  Replacement file(c.get<std::string>(0), c.get<std::string>(1));
  Pieces pieces(c, c.source(2));
  pieces.size();  // looks at all before anything is written
  file.write("", 0);
  pieces.write([&](const void* data, uint64_t size) { file.write(data, size); });
  file.commit();
  return 0;
}

int write_zip(Call& c) {
  const int names = c.source(2), contents = c.source(3);
  check(lua_istable(c.L, names) && lua_istable(c.L, contents), "write_zip: expected two lists");
  ZipWriter writer(c.get<std::string>(0), c.get<std::string>(1));
  for (int i = 1, n = static_cast<int>(lua_objlen(c.L, names)); i <= n; ++i) {
    lua_rawgeti(c.L, names, i);
    lua_rawgeti(c.L, contents, i);
    check(lua_type(c.L, -2) == LUA_TSTRING, "write_zip: name ", i, " is not a string");
    const std::string name(to_string(c.L, -2));
    check(name.size() <= UINT16_MAX, "write_zip: name ", i, " is longer than ", UINT16_MAX, " bytes");
    Pieces pieces(c, lua_gettop(c.L));
    writer.begin(name, pieces.size(), lua_type(c.L, -1) != LUA_TSTRING);
    pieces.write([&](const void* data, uint64_t size) { writer.write(data, size); });
    writer.end();
    lua_pop(c.L, 2);
  }
  writer.finish();
  return 0;
}

// ---- bytes as elements ---------------------------------------------------------------------------------------------------

// Over the same memory where the elements are aligned there.
int reinterpret(Call& c) {
  const Tensor& bytes = c.tensor(0);
  const auto where = c.get<std::string>(4);
  const auto dtype = c.get<DType>(2);
  const Sizes sizes = c.get<IntList>(3);
  check(bytes.is_cpu() && bytes.dtype() == DType::UInt8 && bytes.dim() == 1 && bytes.is_contiguous(), where,
        ": expected a dense row of uint8 on the CPU");
  check(sizes.size() <= kMaxDims, where, ": ", sizes.size(), " dimensions, more than ", kMaxDims);
  const uint64_t offset = count(c, 1, "offset"), item = static_cast<uint64_t>(item_size(dtype)),
                 numel = static_cast<uint64_t>(numel_of(sizes)), have = byte_count(bytes);
  check(offset <= have && numel <= (have - offset) / item, where, ": ", sizes, " of ", dtype, " from byte ", offset,
        " on reach beyond ", have, " bytes");
  char* const data = bytes.bytes() + offset;
  const uint64_t from_start = static_cast<uint64_t>(bytes.offset()) + offset;
  Tensor x;
  if (reinterpret_cast<uintptr_t>(data) % item == 0 && from_start % item == 0) {
    x = Tensor(make_ref<TensorImpl>(bytes.storage(), dtype, sizes, contiguous_strides(sizes),
                                    static_cast<int64_t>(from_start / item)));
  } else {
    x = empty(sizes, dtype);
    std::memcpy(x.bytes(), data, numel * item);
  }
  check(holds_booleans(x), where, ": there are other values than 0 and 1");
  return c.returns(x);
}

int bytes_of(Call& c) {
  check(!c.tensor(0).is_meta(), "bytes: a meta tensor has no elements");
  const Tensor x = dense_on_host(c.tensor(0));
  check(byte_count(x) <= kLongestString, "bytes: the tensor is too large for a string");
  lua_pushlstring(c.L, x.bytes(), byte_count(x));
  return 1;
}

template <class T>
void swap_all(char* p, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i, p += sizeof(T)) {
    T v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (sizeof(T) == 2) v = __builtin_bswap16(v);
    if constexpr (sizeof(T) == 4) v = __builtin_bswap32(v);
    if constexpr (sizeof(T) == 8) v = __builtin_bswap64(v);
    std::memcpy(p, &v, sizeof v);
  }
}

int swap_bytes(Call& c) {
  const Tensor& x = c.tensor(0);
  check(x.is_cpu() && x.is_contiguous(), "swap_bytes: expected a dense tensor on the CPU");
  const int64_t word = is_complex(x.dtype()) ? x.item_size() / 2 : x.item_size();
  const uint64_t words = byte_count(x) / static_cast<uint64_t>(word);
  if (word == 2) swap_all<uint16_t>(x.bytes(), words);
  if (word == 4) swap_all<uint32_t>(x.bytes(), words);
  if (word == 8) swap_all<uint64_t>(x.bytes(), words);
  x.storage()->bump_version();
  return c.returns_argument();
}

constexpr Native kFunctions[] = {
    {"core.open_file(str path, str operation) -> any", open_file,
     "A plain file to read from, with `size()`, `read(offset, count)` and `tensor(offset, dtype, sizes, mmap)`. "
     "Offsets "
     "count bytes from 0. Messages begin with `operation`."},
    {"core.open_zip(str path, str operation) -> any", open_zip,
     "A zip archive to read from, with `names()`, `size(name)`, `head(name, count)`, `read(name)` and `tensor(name, "
     "mmap)`."},
    {"core.write_pieces(str path, str operation, any pieces)", write_pieces,
     "Replaces a file, whole or not at all, by strings and the elements of tensors, one after the other."},
    {"core.write_zip(str path, str operation, any names, any contents)", write_zip,
     "Replaces a file by an archive. Each of the contents is a string, or a tensor or list of both, which is aligned "
     "to 64 "
     "bytes."},
    {"core.reinterpret(Tensor bytes, int offset, DType dtype, int[] sizes, str where='reinterpret') -> Tensor",
     reinterpret,
     "The elements that begin `offset` bytes into a uint8 tensor, over its memory if they are aligned there. Messages "
     "begin with `where`."},
    {"core.bytes(Tensor x) -> str", bytes_of, "The elements of a tensor as they lie in memory, row by row."},
    {"core.swap_bytes(Tensor x) -> Tensor", swap_bytes,
     "Turns big-endian elements into little-endian ones and back, in place."},
};
constexpr Native kFileMethods[] = {
    {"size(any self) -> int", file_size},
    {"read(any self, int offset, int count) -> str", file_read},
    {"tensor(any self, int offset, DType dtype, int[] sizes, bool mmap=False) -> Tensor", file_tensor},
};
constexpr Native kZipMethods[] = {
    {"names(any self) -> any", zip_names},
    {"size(any self, str name) -> int", zip_size},
    {"head(any self, str name, int count) -> str", zip_head},
    {"read(any self, str name) -> str", zip_read},
    {"tensor(any self, str name, bool mmap=False) -> Tensor", zip_tensor},
};

template <class T, Metatable State::*type>
void open_type(lua_State* L, State& S, const char* name, std::span<const Native> methods) {
  new_metatable(L, S.*type, name);
  const Metamethod metamethods[] = {{"__gc", collect_object<std::shared_ptr<T>, type>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  add_natives(L, S, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

}  // namespace

void open_files(lua_State* L, State& S) {
  add_natives(L, S, kFunctions);
  open_type<MappedFile, &State::file>(L, S, "torch.File", kFileMethods);
  open_type<ZipFile, &State::zip>(L, S, "torch.Zip", kZipMethods);
}

}  // namespace facula::interp
