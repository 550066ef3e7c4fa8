// What the CUDA sources of npae share. REAL is float or double: every source is compiled once for each.
#pragma once

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

constexpr int WARP = 32;
constexpr int MOST_WARPS = 32;  // of a block

// A number that is given by value, or lies on the device (a captured graph freezes values, and not what an address holds).
template <class T>
__device__ __forceinline__ T read(const T* at, T value) { return at ? *at : value; }

// One rounding each, never contracted into a multiply-add: for what is defined to the last bit.
__device__ __forceinline__ float add_rn(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub_rn(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float mul_rn(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ double add_rn(double a, double b) { return __dadd_rn(a, b); }
__device__ __forceinline__ double sub_rn(double a, double b) { return __dsub_rn(a, b); }
__device__ __forceinline__ double mul_rn(double a, double b) { return __dmul_rn(a, b); }

// The sum of v over the threads of a one-dimensional block, in a fixed order; every thread gets it. blockDim.x: a multiple of 32.
__device__ __forceinline__ double block_sum(double v) {
  __shared__ double of_warp[MOST_WARPS];
  const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  for (int offset = WARP / 2; offset > 0; offset /= 2) v += __shfl_xor_sync(0xffffffffu, v, offset);
  if (lane == 0) of_warp[warp] = v;
  __syncthreads();
  v = of_warp[0];
  for (int k = 1; k < warps; ++k) v += of_warp[k];
  __syncthreads();  // of_warp may be written again by the next call
  return v;
}

// True in every thread of the block that comes last; what the others stored before is then visible to it. *ticket is 0 again afterwards.
__device__ __forceinline__ bool last_block(u32* ticket) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(ticket, gridDim.x - 1) == gridDim.x - 1;
  __syncthreads();
  __threadfence();
  return last;
}

// True in every thread of the last block of a one-dimensional grid, and there *total is the sum of v over all threads, in a fixed order:
// by threads, warps, then blocks.
__device__ __forceinline__ bool grid_total(double v, double* partials, u32* ticket, double* total) {
  const double mine = block_sum(v);
  if (threadIdx.x == 0) partials[blockIdx.x] = mine;
  if (!last_block(ticket)) return false;
  double all = 0.0;
  for (u32 k = threadIdx.x; k < gridDim.x; k += blockDim.x) all += ((volatile double*)partials)[k];
  *total = block_sum(all);
  return true;
}

// *out = scale * that sum
__device__ __forceinline__ void grid_sum(double v, double scale, double* partials, u32* ticket, double* out) {
  double total;
  if (grid_total(v, partials, ticket, &total) && threadIdx.x == 0) *out = scale * total;
}

// 16 bytes of an array: elements i .. i + PACK - 1, those outside 0 .. n - 1 left out (read as 0). They move at once where `whole` says that
// the address of element i is a multiple of 16, otherwise one by one: the same numbers in the same order either way.
constexpr int PACK = 16 / sizeof(REAL);
struct alignas(16) Pack { REAL at[PACK]; };

template <class... Arrays>
__device__ __forceinline__ bool packs_are_whole(i64 first, const Arrays*... of) {
  return ((u64(of + first) % sizeof(Pack) == 0) && ...);
}

__device__ __forceinline__ Pack take(const REAL* from, i64 i, i64 n, bool whole) {
  if (whole && i >= 0 && i + PACK <= n) return *reinterpret_cast<const Pack*>(from + i);
  Pack pack;
#pragma unroll
  for (int k = 0; k < PACK; ++k) pack.at[k] = i + k >= 0 && i + k < n ? from[i + k] : REAL(0);
  return pack;
}

__device__ __forceinline__ void put(REAL* to, i64 i, i64 n, bool whole, const Pack& pack) {
  if (whole && i >= 0 && i + PACK <= n) {
    *reinterpret_cast<Pack*>(to + i) = pack;
    return;
  }
#pragma unroll
  for (int k = 0; k < PACK; ++k)
    if (i + k >= 0 && i + k < n) to[i + k] = pack.at[k];
}
