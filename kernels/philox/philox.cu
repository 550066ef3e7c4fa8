// Philox4x32-10: column c of row b is word c mod 4 of block c div 4; the counter is (block, rows[b], step, stream).
//
// One thread computes a block and writes its four numbers, in one store of 16 bytes (two for double) where rows are whole blocks and so
// aligned: neighbours write side by side. Nothing is read but a row number. The floor is the bytes written; for normals also two
// logarithms and two sine-cosine pairs in float64 a thread, so its blocks are small: the noise of a batch then spreads over many
// multiprocessors. sincospi takes the angle in half turns, 2 (v + 1/2) 2^-32, which is exact.
#include "npae.cuh"

struct Key { u32 low, high; };

template <class T>
struct alignas(16) Four { T at[4]; };

__device__ __forceinline__ Four<u32> philox(u32 c0, u32 c1, u32 c2, u32 c3, Key key) {
  for (int round = 0; round < 10; ++round) {
    const u64 p0 = u64(0xD2511F53u) * c0, p1 = u64(0xCD9E8D57u) * c2;
    c0 = u32(p1 >> 32) ^ c1 ^ key.low;
    c1 = u32(p1);
    c2 = u32(p0 >> 32) ^ c3 ^ key.high;
    c3 = u32(p0);
    key.low += 0x9E3779B9u;
    key.high += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

__device__ __forceinline__ Four<u32> as_bits(const Four<u32>& words) { return words; }

__device__ __forceinline__ Four<REAL> as_uniform(const Four<u32>& words) {
  Four<REAL> u;
  for (int k = 0; k < 4; ++k) u.at[k] = REAL(words.at[k] >> 8) * REAL(1.0 / 16777216.0);
  return u;
}

__device__ __forceinline__ Four<REAL> as_normal(const Four<u32>& words) {
  Four<REAL> normal;
  for (int k = 0; k < 4; k += 2) {
    const double radius = sqrt(-2.0 * log((double(words.at[k]) + 0.5) / 4294967296.0));
    double sine, cosine;
    sincospi((double(words.at[k + 1]) + 0.5) / 2147483648.0, &sine, &cosine);
    normal.at[k] = REAL(radius * cosine);
    normal.at[k + 1] = REAL(radius * sine);
  }
  return normal;
}

// out (count, columns): what `numbers` makes of each block's words.
template <class T>
__device__ __forceinline__ void draw(
    Four<T> (*numbers)(const Four<u32>&), Key key, u32 stream, u32 step, const i64* rows, T* out, i64 count, i64 columns) {
  const i64 blocks = (columns + 3) / 4;
  const bool whole = columns % 4 == 0 && u64(out) % 16 == 0;
  for (i64 i = blockIdx.x * i64(blockDim.x) + threadIdx.x; i < count * blocks; i += i64(gridDim.x) * blockDim.x) {
    const i64 b = i / blocks, block = i - b * blocks;
    const Four<T> four = numbers(philox(u32(block), u32(rows[b]), step, stream, key));
    T* to = out + b * columns + 4 * block;
    if (whole) *reinterpret_cast<Four<T>*>(to) = four;
    else
      for (int k = 0; k < 4; ++k)
        if (4 * block + k < columns) to[k] = four.at[k];
  }
}

extern "C" __global__ void philox_bits(
    u32 low, u32 high, u32 stream, const i64* step_at, i64 step, const i64* rows, u32* out, i64 count, i64 columns) {
  draw(as_bits, {low, high}, stream, u32(read(step_at, step)), rows, out, count, columns);
}

extern "C" __global__ void philox_uniform(
    u32 low, u32 high, u32 stream, const i64* step_at, i64 step, const i64* rows, REAL* out, i64 count, i64 columns) {
  draw(as_uniform, {low, high}, stream, u32(read(step_at, step)), rows, out, count, columns);
}

extern "C" __global__ void philox_normal(
    u32 low, u32 high, u32 stream, const i64* step_at, i64 step, const i64* rows, REAL* out, i64 count, i64 columns) {
  draw(as_normal, {low, high}, stream, u32(read(step_at, step)), rows, out, count, columns);
}
