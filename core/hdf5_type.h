// dtypes as types of HDF5, the way h5py has them: bool is an enumeration, complex numbers are pairs (r, i).
#pragma once

#include "core/dtype.h"
#include "core/hdf5_library.h"

namespace facula::hdf5 {

/// In files and in memory alike: little-endian.
Handle type_of(DType dtype);
/// The dtype whose elements hold what such a type has; none for texts and everything else.
OptDType dtype_of(Identifier type);
/// Texts of any length, in UTF-8.
Handle text_type();

}  // namespace facula::hdf5
