// Both algorithms take blocks of 64 bytes into a state of 32-bit words. The last block ends in the number of bits: a byte
// 0x80 and zeros come before it.
#include "core/digest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace facula {
namespace {

constexpr size_t kBlock = 64;
using Words = std::array<uint32_t, 16>;

// Word i of a block, in the algorithm's order of bytes.
template <std::endian order>
uint32_t word_at(const uint8_t* block, size_t i) {
  uint32_t word = 0;
  for (size_t b = 0; b < 4; ++b) {
    const size_t shift = order == std::endian::little ? 8 * b : 8 * (3 - b);
    word |= static_cast<uint32_t>(block[4 * i + b]) << shift;
  }
  return word;
}

struct Md5 {
  static constexpr auto kOrder = std::endian::little;
  std::array<uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

  void take(const Words& words) {
    static const auto sines = [] {
      std::array<uint32_t, 64> t;
      for (size_t i = 0; i < 64; ++i) t[i] = static_cast<uint32_t>(std::fabs(std::sin(double(i + 1))) * 4294967296.0);
      return t;
    }();
    static constexpr int kTurns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    auto [a, b, c, d] = state;
    for (size_t i = 0; i < 64; ++i) {
      const size_t round = i / 16;
      const uint32_t f = round == 0   ? (b & c) | (~b & d)
                         : round == 1 ? (d & b) | (~d & c)
                         : round == 2 ? b ^ c ^ d
                                      : c ^ (b | ~d);
      const size_t at = (round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i) % 16;
      const uint32_t next = b + std::rotl(a + f + sines[i] + words[at], kTurns[round][i % 4]);
      a = d, d = c, c = b, b = next;
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
  }
};

struct Sha256 {
  static constexpr auto kOrder = std::endian::big;
  std::array<uint32_t, 8> state = fractions<8>([](double prime) { return std::sqrt(prime); });

  // The first 32 bits of the fractions of a root of the first primes.
  template <size_t n, class Root>
  static std::array<uint32_t, n> fractions(Root root) {
    std::array<uint32_t, n> result;
    for (uint32_t prime = 2, found = 0; found < n; ++prime) {
      bool divides = false;
      for (uint32_t d = 2; d * d <= prime; ++d) divides = divides || prime % d == 0;
      if (divides) continue;
      const double value = root(prime);
      result[found++] = static_cast<uint32_t>((value - std::floor(value)) * 4294967296.0);
    }
    return result;
  }

  void take(const Words& words) {
    static const auto constants = fractions<64>([](double prime) { return std::cbrt(prime); });
    std::array<uint32_t, 64> w;
    std::copy(words.begin(), words.end(), w.begin());
    for (size_t i = 16; i < 64; ++i) {
      const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
      const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::array<uint32_t, 8> change{a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state[i] += change[i];
  }
};

template <class Algorithm>
void take_blocks(Algorithm& algorithm, const uint8_t* bytes, size_t size) {
  for (size_t at = 0; at < size; at += kBlock) {
    Words words;
    for (size_t i = 0; i < 16; ++i) words[i] = word_at<Algorithm::kOrder>(bytes + at, i);
    algorithm.take(words);
  }
}

// The bytes that are left, and what follows the last of them.
template <class Algorithm>
void take_end(Algorithm& algorithm, std::vector<uint8_t> rest, uint64_t total) {
  rest.push_back(0x80);
  while (rest.size() % kBlock != kBlock - 8) rest.push_back(0);
  for (uint64_t b = 0; b < 8; ++b) {
    const uint64_t shift = Algorithm::kOrder == std::endian::little ? 8 * b : 8 * (7 - b);
    rest.push_back(static_cast<uint8_t>(total * 8 >> shift));
  }
  take_blocks(algorithm, rest.data(), rest.size());
}

template <class Algorithm>
std::string digest(const InputFile& file, const std::string& path, const std::string& operation) {
  Algorithm algorithm;
  const auto size = static_cast<uint64_t>(file.size());
  std::vector<uint8_t> piece(size_t{1} << 20);
  for (uint64_t at = 0;; at += piece.size()) {
    piece.resize(std::min<uint64_t>(piece.size(), size - at));
    check(file.read(at, piece.size(), piece.data()), operation, ": '", path, "' became shorter while it was read");
    const size_t whole = piece.size() / kBlock * kBlock;
    take_blocks(algorithm, piece.data(), whole);
    if (at + piece.size() < size) continue;
    take_end(algorithm, {piece.begin() + static_cast<ptrdiff_t>(whole), piece.end()}, size);
    break;
  }
  std::string digits;
  for (const uint32_t word : algorithm.state)
    for (int b = 0; b < 4; ++b) {
      const uint32_t byte = word >> (Algorithm::kOrder == std::endian::little ? 8 * b : 8 * (3 - b)) & 0xff;
      digits += "0123456789abcdef"[byte >> 4];
      digits += "0123456789abcdef"[byte & 15];
    }
  return digits;
}

}  // namespace

std::string file_digest(const std::string& path, const std::string& algorithm, const std::string& operation) {
  check(algorithm == "md5" || algorithm == "sha256", operation, ": the algorithm is md5 or sha256, got '", algorithm,
        "'");
  const InputFile file(path, operation);
  return algorithm == "md5" ? digest<Md5>(file, path, operation) : digest<Sha256>(file, path, operation);
}

}  // namespace facula
