// libhdf5, opened when it is first needed, so that neither the build nor the start of the program knows of it.
//
// The functions below have had these types since version 1.10 (2016), when identifiers got 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace facula::hdf5 {

using Identifier = int64_t;
using Size = unsigned long long;
using Visit = int (*)(Identifier, const char* name, const void* about, void* data);

struct ErrorEntry {
  Identifier error_class, major, minor;
  unsigned line;
  const char *function, *file, *description;
};
using VisitError = int (*)(unsigned, const ErrorEntry*, void*);

// result, name, parameters
#define FACULA_HDF5_FUNCTIONS(X)                                                                                   \
  X(int, H5dont_atexit, ())                                                                                        \
  X(int, H5open, ())                                                                                               \
  X(int, H5get_libversion, (unsigned*, unsigned*, unsigned*))                                                      \
  X(int, H5Eset_auto2, (Identifier, void*, void*))                                                                 \
  X(int, H5Ewalk2, (Identifier, int, VisitError, void*))                                                           \
  X(int, H5Eclear2, (Identifier))                                                                                  \
  X(int, H5PLset_loading_state, (unsigned))                                                                        \
  X(int, H5Lunregister, (int))                                                                                     \
  X(int, H5Iget_type, (Identifier))                                                                                \
  X(int, H5Idec_ref, (Identifier))                                                                                 \
  X(Identifier, H5Fcreate, (const char*, unsigned, Identifier, Identifier))                                        \
  X(Identifier, H5Fopen, (const char*, unsigned, Identifier))                                                      \
  X(int, H5Fclose, (Identifier))                                                                                   \
  X(int, H5Lexists, (Identifier, const char*, Identifier))                                                         \
  X(int, H5Ldelete, (Identifier, const char*, Identifier))                                                         \
  X(Identifier, H5Oopen, (Identifier, const char*, Identifier))                                                    \
  X(Identifier, H5Gcreate2, (Identifier, const char*, Identifier, Identifier, Identifier))                         \
  X(Identifier, H5Dcreate2, (Identifier, const char*, Identifier, Identifier, Identifier, Identifier, Identifier)) \
  X(Identifier, H5Dget_type, (Identifier))                                                                         \
  X(Identifier, H5Dget_space, (Identifier))                                                                        \
  X(Identifier, H5Dget_create_plist, (Identifier))                                                                 \
  X(Size, H5Dget_storage_size, (Identifier))                                                                       \
  X(int, H5Dread, (Identifier, Identifier, Identifier, Identifier, Identifier, void*))                             \
  X(int, H5Dwrite, (Identifier, Identifier, Identifier, Identifier, Identifier, const void*))                      \
  X(int, H5Dvlen_reclaim, (Identifier, Identifier, Identifier, void*))                                             \
  X(Identifier, H5Acreate2, (Identifier, const char*, Identifier, Identifier, Identifier, Identifier))             \
  X(Identifier, H5Aopen, (Identifier, const char*, Identifier))                                                    \
  X(int, H5Aexists, (Identifier, const char*))                                                                     \
  X(int, H5Adelete, (Identifier, const char*))                                                                     \
  X(Identifier, H5Aget_type, (Identifier))                                                                         \
  X(Identifier, H5Aget_space, (Identifier))                                                                        \
  X(int, H5Aread, (Identifier, Identifier, void*))                                                                 \
  X(int, H5Awrite, (Identifier, Identifier, const void*))                                                          \
  X(int, H5Aiterate2, (Identifier, int, int, Size*, Visit, void*))                                                 \
  X(Identifier, H5Screate, (int))                                                                                  \
  X(Identifier, H5Screate_simple, (int, const Size*, const Size*))                                                 \
  X(int, H5Sget_simple_extent_ndims, (Identifier))                                                                 \
  X(int, H5Sget_simple_extent_dims, (Identifier, Size*, Size*))                                                    \
  X(int, H5Sget_simple_extent_type, (Identifier))                                                                  \
  X(int, H5Sselect_hyperslab, (Identifier, int, const Size*, const Size*, const Size*, const Size*))               \
  X(Identifier, H5Tcopy, (Identifier))                                                                             \
  X(Identifier, H5Tcreate, (int, size_t))                                                                          \
  X(int, H5Tget_class, (Identifier))                                                                               \
  X(size_t, H5Tget_size, (Identifier))                                                                             \
  X(int, H5Tset_size, (Identifier, size_t))                                                                        \
  X(int, H5Tget_sign, (Identifier))                                                                                \
  X(Identifier, H5Tget_super, (Identifier))                                                                        \
  X(int, H5Tget_fields, (Identifier, size_t*, size_t*, size_t*, size_t*, size_t*))                                 \
  X(int, H5Tset_fields, (Identifier, size_t, size_t, size_t, size_t, size_t))                                      \
  X(int, H5Tset_ebias, (Identifier, size_t))                                                                       \
  X(int, H5Tis_variable_str, (Identifier))                                                                         \
  X(int, H5Tset_cset, (Identifier, int))                                                                           \
  X(int, H5Tget_nmembers, (Identifier))                                                                            \
  X(int, H5Tget_member_index, (Identifier, const char*))                                                           \
  X(Identifier, H5Tget_member_type, (Identifier, unsigned))                                                        \
  X(int, H5Tinsert, (Identifier, const char*, size_t, Identifier))                                                 \
  X(Identifier, H5Tenum_create, (Identifier))                                                                      \
  X(int, H5Tenum_insert, (Identifier, const char*, const void*))                                                   \
  X(Identifier, H5Pcreate, (Identifier))                                                                           \
  X(int, H5Pset_chunk, (Identifier, int, const Size*))                                                             \
  X(int, H5Pset_deflate, (Identifier, unsigned))                                                                   \
  X(int, H5Pset_shuffle, (Identifier))                                                                             \
  X(int, H5Pset_obj_track_times, (Identifier, bool))                                                               \
  X(int, H5Pget_layout, (Identifier))                                                                              \
  X(int, H5Pget_external_count, (Identifier))                                                                      \
  X(int, H5Pset_create_intermediate_group, (Identifier, unsigned))

// Constants that the library keeps in variables.
#define FACULA_HDF5_VARIABLES(X) \
  X(H5T_STD_U8LE_g)              \
  X(H5T_STD_I8LE_g)              \
  X(H5T_STD_I16LE_g)             \
  X(H5T_STD_I32LE_g)             \
  X(H5T_STD_I64LE_g)             \
  X(H5T_IEEE_F32LE_g)            \
  X(H5T_IEEE_F64LE_g)            \
  X(H5T_C_S1_g)                  \
  X(H5P_CLS_DATASET_CREATE_ID_g) \
  X(H5P_CLS_LINK_CREATE_ID_g)

// What the library's header calls H5F_ACC_RDONLY and the like.
constexpr unsigned kReadOnly = 0, kReadWrite = 1, kTruncate = 2;
constexpr Identifier kDefault = 0, kAll = 0;
constexpr int kGroup = 2, kDataset = 5;                                         // of identifiers
constexpr int kInteger = 0, kFloat = 1, kString = 3, kCompound = 6, kEnum = 8;  // of types
constexpr int kScalar = 0, kSimple = 1;                                         // of spaces
constexpr int kChunked = 2, kVirtual = 3;                                       // of layouts
constexpr int kUnsigned = 0, kUtf8 = 1, kSelect = 0, kByName = 0, kIncreasing = 0, kInnermostFirst = 0;
constexpr size_t kVariable = SIZE_MAX;

struct Library {
#define FACULA_HDF5_FUNCTION(result, name, parameters) result(*name) parameters;
  FACULA_HDF5_FUNCTIONS(FACULA_HDF5_FUNCTION)
#undef FACULA_HDF5_FUNCTION
#define FACULA_HDF5_VARIABLE(name) Identifier* name;
  FACULA_HDF5_VARIABLES(FACULA_HDF5_VARIABLE)
#undef FACULA_HDF5_VARIABLE
  int (*H5Literate)(Identifier, int, int, Size*, Visit, void*);
};

/// Errors: it is not installed, or older than 1.10.
const Library& library();

/// What it said when it last failed; forgets it.
std::string last_error();

/// An open object of the library's.
class Handle {
 public:
  Handle() = default;
  explicit Handle(Identifier id) : id_(id) {}
  ~Handle() {
    if (id_ >= 0) library().H5Idec_ref(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }

  Identifier get() const { return id_; }
  Identifier release() { return std::exchange(id_, -1); }
  /// False if that failed: what was held back for writing may be lost.
  bool close() { return library().H5Idec_ref(release()) >= 0; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  Identifier id_ = -1;
};

}  // namespace facula::hdf5
