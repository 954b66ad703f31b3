#include "core/ops/families.h"

namespace facula {

void define_stft(const Family&) {}

}  // namespace facula
