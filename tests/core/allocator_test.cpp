#include "core/allocator.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "core/slab.h"
#include "core/tensor.h"

using namespace facula;

TEST_CASE("blocks are aligned, distinct and large enough") {
  Runtime& cpu = cpu_runtime();
  std::vector<std::pair<char*, size_t>> blocks;
  for (size_t bytes = 1; bytes < (size_t{1} << 23); bytes = bytes * 3 / 2 + 1) {
    auto* p = static_cast<char*>(cpu.allocate(bytes, 0));
    CHECK(reinterpret_cast<uintptr_t>(p) % 64 == 0);
    std::memset(p, static_cast<int>(blocks.size()), bytes);
    blocks.emplace_back(p, bytes);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    CHECK(blocks[i].first[blocks[i].second - 1] == static_cast<char>(i));
    cpu.free(blocks[i].first, blocks[i].second, 0);
  }
}

TEST_CASE("statistics count what is in use, its peak, and all that was ever asked for") {
  Runtime& cpu = cpu_runtime();
  const MemoryStats before = cpu.memory_stats(0);
  cpu.reset_peak(0);
  {
    const Tensor x = empty({1 << 20}, DType::Float32);
    CHECK(cpu.memory_stats(0).allocated >= before.allocated + (4 << 20));
  }
  const MemoryStats after = cpu.memory_stats(0);
  CHECK(after.allocated == before.allocated);
  CHECK(after.peak >= before.allocated + (4 << 20));
  CHECK(after.total >= before.total + (4 << 20));
}

TEST_CASE("a limit is an error, and lifting it helps") {
  Runtime& cpu = cpu_runtime();
  cpu.set_memory_limit(static_cast<size_t>(cpu.memory_stats(0).allocated) + (1 << 20), 0);
  CHECK_THROWS_AS(empty({1 << 20}, DType::Float32), OutOfMemory);
  CHECK(empty({1000}, DType::Float32).defined());
  cpu.set_memory_limit(0, 0);
  CHECK(empty({1 << 20}, DType::Float32).defined());
}

TEST_CASE("blocks may be freed by another thread") {
  for (int round = 0; round < 50; ++round) {
    std::vector<Tensor> made;
    std::thread([&] {
      for (int i = 0; i < 200; ++i) made.push_back(empty({i + 1}, DType::Float32));
    }).join();
  }
  CHECK(empty({16}, DType::Float32).defined());
}

#ifndef FACULA_PLAIN_HEAP
TEST_CASE("threads that end leave their memory to others") {
  const auto use_small_blocks = [] {
    std::vector<Tensor> tensors;
    for (int64_t i = 0; i < 300; ++i) tensors.push_back(empty({i}, DType::Int32));
  };
  const auto reserved_after = [&] {
    std::thread(use_small_blocks).join();
    return cpu_runtime().memory_stats(0).reserved;
  };
  const int64_t first = reserved_after();
  for (int i = 0; i < 20; ++i) CHECK(reserved_after() == first);
}
#endif

#ifndef FACULA_PLAIN_HEAP
TEST_CASE("blocks of sizes that are not in use any more make room in the cache") {
  Runtime& cpu = cpu_runtime();
  cpu.empty_cache();
  constexpr size_t old_size = size_t{32} << 20, size = size_t{20} << 20;
  std::vector<void*> old;
  for (int i = 0; i < 16; ++i) old.push_back(cpu.allocate(old_size, 0));
  for (void* p : old) cpu.free(p, old_size, 0);
  cpu.free(cpu.allocate(size, 0), size, 0);
  const int64_t reserved = cpu.memory_stats(0).reserved;
  cpu.free(cpu.allocate(size, 0), size, 0);
  void* p = cpu.allocate(size, 0);
  CHECK(cpu.memory_stats(0).reserved == reserved);  // it came from the cache
  cpu.free(p, size, 0);
  cpu.empty_cache();
}
#endif
