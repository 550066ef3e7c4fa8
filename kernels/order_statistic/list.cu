// The patterns of given ranks in a list of distances, by one block for each rank; and the list that is a sample of all pairs.
//
// Floor: latency. A list of 2^16 is read once for every 11 bits of a pattern, 64 numbers a thread, from the cache.
#include "npae.cuh"
#include "patterns.cuh"

constexpr int THREADS = 1024;

// The pattern of that rank: no larger than any for a rank below 0, no smaller than any for a rank past the end.
__device__ Pattern of_rank(const REAL* list, i64 count, i64 rank) {
  __shared__ u32 bins[BINS];
  constexpr int PER = BINS / THREADS;
  Pattern low = 0, high = LARGEST;
  if (rank < 0 || rank >= count) return rank < 0 ? low : high;
  u64 inside = rank;  // the rank among those in the bracket
  while (low < high) {
    const Pattern width = high - low;
    const int shift = shift_of(width);
    for (int b = threadIdx.x; b < BINS; b += THREADS) bins[b] = 0;
    __syncthreads();
    for (i64 i = threadIdx.x; i < count; i += THREADS) {
      const Pattern above = pattern_of(list[i]) - low;  // large where it is below: whole numbers without a sign
      if (above <= width) atomicAdd(&bins[above >> shift], 1u);
    }
    __syncthreads();
    u64 mine[PER];
    for (int p = 0; p < PER; ++p) mine[p] = bins[threadIdx.x * PER + p];
    const Place place = place_of(mine, inside);
    inside -= place.before;
    narrow_to(place.bin, shift, low, high);
  }
  return low;
}

extern "C" __global__ void __launch_bounds__(1024) select_few(const REAL* list, i64 count, i64 rank, double* value) {
  const Pattern pattern = of_rank(list, count, rank);
  if (threadIdx.x == 0) *value = value_of(pattern);
}

// Two blocks, one for each end of the bracket.
extern "C" __global__ void __launch_bounds__(1024) bracket(const REAL* list, i64 count, i64 low, i64 high, Selection* selection) {
  const Pattern pattern = of_rank(list, count, blockIdx.x == 0 ? low : high);
  if (threadIdx.x == 0) (blockIdx.x == 0 ? selection->low : selection->high) = pattern;
}

// The distances of `count` pairs, and an empty selection. Row and column are multiples of 1/p and 1/p^2 modulo 1, p the plastic number:
// such points fill the square evenly, whatever the shapes and the order of the samples (Roberts 2018, "The unreasonable effectiveness of
// quasirandom sequences").
extern "C" __global__ void sample(const REAL* z, i64 n, const REAL* w, i64 m, i64 d, REAL* list, i64 count, Selection* selection) {
  const u32 s = blockIdx.x * blockDim.x + threadIdx.x;
  if (s == 0) selection->found = selection->below = 0;
  if (s < BINS) selection->inside[s] = 0;
  if (s >= count) return;
  const i64 i = i64(u64(s * 0xC13FA9A9u) * u64(n) >> 32), j = i64(u64(s * 0x91E10DA5u) * u64(m) >> 32);
  REAL d2 = 0;
  for (i64 k = 0; k < d; ++k) {
    const REAL difference = sub_rn(z[i * d + k], w[j * d + k]);
    d2 = add_rn(d2, mul_rn(difference, difference));
  }
  list[s] = d2;
}
