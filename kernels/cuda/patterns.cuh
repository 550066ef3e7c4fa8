// Selection by counting bit patterns: a distance is no negative number, so its pattern, read as a whole number, orders as it does; a NaN is
// above all others. A bracket [low, high] of patterns is cut into at most BINS parts of 2^shift, and the part with the rank is the next.
#pragma once

constexpr int BINS = 2048;

template <class T> struct PatternOf { typedef u32 type; };
template <> struct PatternOf<double> { typedef u64 type; };
typedef PatternOf<REAL>::type Pattern;
constexpr Pattern LARGEST = ~Pattern(0);

__device__ __forceinline__ u32 pattern_of(float v) { return __float_as_uint(v); }
__device__ __forceinline__ u64 pattern_of(double v) { return u64(__double_as_longlong(v)); }
__device__ __forceinline__ double value_of(u32 pattern) { return double(__uint_as_float(pattern)); }
__device__ __forceinline__ double value_of(u64 pattern) { return __longlong_as_double(i64(pattern)); }

struct Selection {  // what one launch leaves to the next
  u64 low, high;    // the bracket, both ends in it
  u64 found;        // 1 once the value is written
  u64 below, inside[BINS];
};

__device__ __forceinline__ int shift_of(Pattern width) {
  int shift = 0;
  while (width >> shift >= BINS) ++shift;
  return shift;
}

// [low, high] becomes that part of itself.
__device__ __forceinline__ void narrow_to(int bin, int shift, Pattern& low, Pattern& high) {
  const Pattern last = (Pattern(1) << shift) - 1;
  low += Pattern(bin) << shift;
  if (high - low > last) high = low + last;
}

struct Place {
  u64 before;  // entries in the bins before
  int bin;     // -1: there are not so many entries
};

// The bin with the entry of that rank; thread t holds bins PER t to PER t + PER - 1. Every thread gets it. blockDim.x: a multiple of 32.
// Between two calls lies a barrier of the caller's.
template <int PER>
__device__ Place place_of(const u64 (&mine)[PER], u64 rank) {
  __shared__ u64 of_warp[MOST_WARPS];
  __shared__ Place found;
  const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
  u64 sum = 0;
  for (int p = 0; p < PER; ++p) sum += mine[p];
  u64 before = sum;
  for (int offset = 1; offset < WARP; offset *= 2) {
    const u64 other = __shfl_up_sync(0xffffffffu, before, offset);
    if (lane >= offset) before += other;
  }
  if (lane == WARP - 1) of_warp[warp] = before;
  if (threadIdx.x == 0) found = {0, -1};
  before -= sum;
  __syncthreads();
  for (int k = 0; k < warp; ++k) before += of_warp[k];
#pragma unroll
  for (int p = 0; p < PER; ++p) {
    if (before <= rank && rank < before + mine[p]) found = {before, int(threadIdx.x) * PER + p};
    before += mine[p];
  }
  __syncthreads();
  return found;
}
