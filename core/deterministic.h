// May kernels give results that differ from run to run?
#pragma once

namespace facula {

/// Once set, kernels that sum in no fixed order refuse to run. CPU kernels never do that, whatever the number of threads.
/// False at first; one per process.
bool must_be_deterministic();
void set_must_be_deterministic(bool value);

/// Of a kernel that has no fixed order: an error if there must be one.
void check_deterministic(const char* kernel);

}  // namespace facula
