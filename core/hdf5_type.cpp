#include "core/hdf5_type.h"

#include "core/error.h"

namespace facula::hdf5 {
namespace {

struct FloatLayout {
  size_t sign, exponent_at, exponent_bits, mantissa_at, mantissa_bits, bias;
};
constexpr FloatLayout kHalf{15, 10, 5, 0, 10, 15}, kBFloat16{15, 7, 8, 0, 7, 127};

Handle short_float(const FloatLayout& f) {
  const Library& lib = library();
  Handle type(lib.H5Tcopy(*lib.H5T_IEEE_F32LE_g));
  lib.H5Tset_fields(type.get(), f.sign, f.exponent_at, f.exponent_bits, f.mantissa_at, f.mantissa_bits);
  lib.H5Tset_size(type.get(), 2);
  lib.H5Tset_ebias(type.get(), f.bias);
  return type;
}

Handle bool_type() {
  const Library& lib = library();
  Handle type(lib.H5Tenum_create(*lib.H5T_STD_I8LE_g));
  for (const auto& [name, value] : {std::pair<const char*, int8_t>{"FALSE", 0}, {"TRUE", 1}})
    lib.H5Tenum_insert(type.get(), name, &value);
  return type;
}

Handle complex_type(Identifier part) {
  const Library& lib = library();
  const size_t size = lib.H5Tget_size(part);
  Handle type(lib.H5Tcreate(kCompound, 2 * size));
  lib.H5Tinsert(type.get(), "r", 0, part);
  lib.H5Tinsert(type.get(), "i", size, part);
  return type;
}

OptDType integer_dtype(Identifier type) {
  const Library& lib = library();
  const size_t size = lib.H5Tget_size(type);
  const bool is_unsigned = lib.H5Tget_sign(type) == kUnsigned;
  if (size == 1) return is_unsigned ? DType::UInt8 : DType::Int8;
  if (size == 2) return is_unsigned ? DType::Int32 : DType::Int16;
  if (size == 4) return is_unsigned ? DType::Int64 : DType::Int32;
  return size == 8 ? OptDType(DType::Int64) : std::nullopt;
}

OptDType float_dtype(Identifier type) {
  const Library& lib = library();
  FloatLayout f{};
  lib.H5Tget_fields(type, &f.sign, &f.exponent_at, &f.exponent_bits, &f.mantissa_at, &f.mantissa_bits);
  if (f.exponent_bits <= 5 && f.mantissa_bits <= 10) return DType::Float16;
  if (f.exponent_bits <= 8 && f.mantissa_bits <= 7) return DType::BFloat16;
  return f.exponent_bits <= 8 && f.mantissa_bits <= 23 ? DType::Float32 : DType::Float64;
}

OptDType enum_dtype(Identifier type) {
  const Library& lib = library();
  const bool is_bool = lib.H5Tget_size(type) == 1 && lib.H5Tget_nmembers(type) == 2 &&
                       lib.H5Tget_member_index(type, "FALSE") >= 0 && lib.H5Tget_member_index(type, "TRUE") >= 0;
  if (is_bool) return DType::Bool;
  return integer_dtype(Handle(lib.H5Tget_super(type)).get());
}

OptDType compound_dtype(Identifier type) {
  const Library& lib = library();
  const int r = lib.H5Tget_member_index(type, "r"), i = lib.H5Tget_member_index(type, "i");
  if (lib.H5Tget_nmembers(type) != 2 || r < 0 || i < 0) return {};
  const Handle part(lib.H5Tget_member_type(type, static_cast<unsigned>(r)));
  if (lib.H5Tget_class(part.get()) != kFloat) return {};
  return float_dtype(part.get()) == DType::Float64 ? DType::Complex128 : DType::Complex64;
}

}  // namespace

Handle type_of(DType dtype) {
  const Library& lib = library();
  const auto copy = [&](const Identifier* type) { return Handle(lib.H5Tcopy(*type)); };
  switch (dtype) {
    case DType::Bool: return bool_type();
    case DType::UInt8: return copy(lib.H5T_STD_U8LE_g);
    case DType::Int8: return copy(lib.H5T_STD_I8LE_g);
    case DType::Int16: return copy(lib.H5T_STD_I16LE_g);
    case DType::Int32: return copy(lib.H5T_STD_I32LE_g);
    case DType::Int64: return copy(lib.H5T_STD_I64LE_g);
    case DType::Float16: return short_float(kHalf);
    case DType::BFloat16: return short_float(kBFloat16);
    case DType::Float32: return copy(lib.H5T_IEEE_F32LE_g);
    case DType::Float64: return copy(lib.H5T_IEEE_F64LE_g);
    case DType::Complex64: return complex_type(*lib.H5T_IEEE_F32LE_g);
    case DType::Complex128: return complex_type(*lib.H5T_IEEE_F64LE_g);
  }
  fail("hdf5: there is no type for ", dtype);
}

OptDType dtype_of(Identifier type) {
  switch (library().H5Tget_class(type)) {
    case kInteger: return integer_dtype(type);
    case kFloat: return float_dtype(type);
    case kEnum: return enum_dtype(type);
    case kCompound: return compound_dtype(type);
    default: return {};
  }
}

Handle text_type() {
  const Library& lib = library();
  Handle type(lib.H5Tcopy(*lib.H5T_C_S1_g));
  lib.H5Tset_size(type.get(), kVariable);
  lib.H5Tset_cset(type.get(), kUtf8);
  return type;
}

}  // namespace facula::hdf5
