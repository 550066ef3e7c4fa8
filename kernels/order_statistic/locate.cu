// The first pair, row by row, at exactly that squared distance: the least i m + j, over all pairs in one pass.
//
// Floor: 3 d operations for a pair and one comparison; where w is z, for half of the pairs, because the first of a pair and its mirror
// image is the one with i <= j. A thread keeps its least in a register; the block that ends last takes the least of all blocks'.
#include "npae.cuh"
#include "whole_tiles.cuh"

constexpr u64 NONE = ~0ull;

// The least of the block's; every thread gets it. Between two calls lies a barrier of the caller's: that of last_block.
__device__ u64 block_least(u64 least) {
  __shared__ u64 of_block;
  if (threadIdx.x == 0) of_block = NONE;
  __syncthreads();
  if (least != NONE) atomicMin(&of_block, least);
  __syncthreads();
  return of_block;
}

// i and j are -1 where there is no such pair.
extern "C" __global__ void __launch_bounds__(256, 2) locate(
    const REAL* zt, i64 rows, const REAL* wt, i64 width, i64 d, i64 same, i64 m, const double* at, double value, u64* of_blocks,
    u32* ticket, i64* i_of, i64* j_of) {
  const REAL wanted = REAL(read(at, value));
  const Samples samples = {zt, wt, rows, width, d, same != 0};
  u64 least = NONE;
  for (i64 t = blockIdx.x; t < samples.tiles(); t += gridDim.x) {
    const Tile tile = tile_at(t, samples);
    REAL d2[EACH][EACH];
    distances(samples, tile, d2);
#pragma unroll
    for (int r = 0; r < EACH; ++r)
#pragma unroll
      for (int c = 0; c < EACH; ++c)
        if (d2[r][c] == wanted) {  // a pair with the filling is NaN, which equals nothing
          const i64 i = tile.row * SIDE + point_of(threadIdx.x / ACROSS, r), j = tile.column * SIDE + point_of(threadIdx.x % ACROSS, c);
          least = min(least, u64(same ? min(i, j) * m + max(i, j) : i * m + j));
        }
  }
  least = block_least(least);
  if (threadIdx.x == 0) of_blocks[blockIdx.x] = least;
  if (!last_block(ticket)) return;
  for (u32 k = threadIdx.x; k < gridDim.x; k += THREADS) least = min(least, __ldcg(&of_blocks[k]));
  least = block_least(least);
  if (threadIdx.x != 0) return;
  *i_of = least == NONE ? -1 : i64(least / u64(m));
  *j_of = least == NONE ? -1 : i64(least % u64(m));
}
