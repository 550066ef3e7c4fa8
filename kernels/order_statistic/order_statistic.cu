// The r-th smallest of n m squared distances without storing them: passes over all pairs that narrow a bracket of bit patterns.
//
//   columns  both samples as whole_tiles.cuh wants them. A pair with the filling is NaN, hence ranks after all pairs that are asked for
//   sample, bracket (list.cu)   a guess: the quantiles on either side of the rank among 2^16 pairs spread evenly over all
//   narrow   counts the patterns below the bracket, and those inside by BINS parts of it; the block that ends last takes the part with the
//            rank, or what lies beyond the bracket where the guess was wrong. The pass that finds ONE pattern writes the value; those that
//            were launched after it return at once.
//
// Floor of a pass: 3 d operations for a pair and 4 to place it, on n m pairs; where w is z, on half of them, those off the diagonal
// counting twice. Nothing is written but counts. Few patterns lie in a bracket that was guessed, so few threads meet at a counter; and
// adding 1 without asking for the old value is what shared memory does fastest where they do. Counts are whole numbers: their order is
// free.
#include "npae.cuh"
#include "patterns.cuh"
#include "whole_tiles.cuh"

constexpr int MOST_TILES = 1 << 17;  // whose pairs 32 bits can count

// to (d, filled): from (points, d) transposed, NaN from column `points` on. The blocks with y = 1 do the other sample.
extern "C" __global__ void columns(const REAL* z, i64 n, REAL* zt, i64 rows, const REAL* w, i64 m, REAL* wt, i64 width, i64 d) {
  const bool other = blockIdx.y == 1;
  const REAL* from = other ? w : z;
  REAL* to = other ? wt : zt;
  const i64 points = other ? m : n, filled = other ? width : rows, step = i64(gridDim.x) * blockDim.x;
  for (i64 e = blockIdx.x * i64(blockDim.x) + threadIdx.x; e < filled * d; e += step)
    to[e] = e % filled < points ? from[e % filled * d + e / filled] : REAL(__uint_as_float(0x7fffffffu));
}

// Adds the block's counts to the selection's, each `weight` times, and clears them. What counts next calls `distances` first, which waits.
__device__ __forceinline__ void give(u32 (&bins)[BINS + 1], u32& below, u64 weight, Selection* selection) {
  atomicAdd(&bins[BINS], below);
  below = 0;
  __syncthreads();
  for (int b = threadIdx.x; b <= BINS; b += THREADS) {
    if (bins[b]) atomicAdd(b < BINS ? &selection->inside[b] : &selection->below, weight * bins[b]);
    bins[b] = 0;
  }
}

// What the block that ends last does: the next bracket, or the value; the counts are 0 again.
__device__ __forceinline__ void conclude(Pattern low, Pattern high, u64 rank, Selection* selection, double* value) {
  constexpr int PER = BINS / THREADS;
  u64 mine[PER];
#pragma unroll
  for (int p = 0; p < PER; ++p) {
    u64* at = &selection->inside[threadIdx.x * PER + p];
    mine[p] = __ldcg(at);
    *at = 0;
  }
  const u64 below = __ldcg(&selection->below);
  const Place place = place_of(mine, rank - below);
  if (threadIdx.x != 0) return;
  if (rank < below) {
    high = low - 1;
    low = 0;
  } else if (place.bin < 0) {
    low = high + 1;
    high = LARGEST;
  } else {
    narrow_to(place.bin, shift_of(high - low), low, high);
    if (low == high) {
      *value = value_of(low);
      selection->found = 1;
    }
  }
  selection->low = low;
  selection->high = high;
  selection->below = 0;
}

extern "C" __global__ void __launch_bounds__(256, 2) narrow(
    const REAL* zt, i64 rows, const REAL* wt, i64 width, i64 d, i64 same, i64 rank, Selection* selection, u32* ticket, double* value) {
  __shared__ u32 bins[BINS + 1];
  if (selection->found) return;
  const Pattern low = Pattern(selection->low), high = Pattern(selection->high), wide = high - low;
  const int shift = shift_of(wide);
  const Samples samples = {zt, wt, rows, width, d, same != 0};
  for (int b = threadIdx.x; b <= BINS; b += THREADS) bins[b] = 0;
  u32 below = 0;
  int weight = 1, counted = 0;
  for (i64 t = blockIdx.x; t < samples.tiles(); t += gridDim.x) {
    const int now = same && t >= samples.strips() ? 2 : 1;
    if (now != weight || counted == MOST_TILES) {
      give(bins, below, weight, selection);
      counted = 0;
    }
    weight = now;
    ++counted;
    REAL d2[EACH][EACH];
    distances(samples, tile_at(t, samples), d2);
#pragma unroll
    for (int r = 0; r < EACH; ++r)
#pragma unroll
      for (int c = 0; c < EACH; ++c) {
        const Pattern pattern = pattern_of(d2[r][c]), above = pattern - low;
        below += pattern < low;
        if (above <= wide) atomicAdd(&bins[above >> shift], 1u);
      }
  }
  give(bins, below, weight, selection);
  if (last_block(ticket)) conclude(low, high, rank, selection, value);
}
