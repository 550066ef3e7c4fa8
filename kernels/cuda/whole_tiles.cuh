// Squared distances to the last bit, SIDE x SIDE pairs at a time, of samples that kernel `columns` has laid out: zt (d, rows), a sample
// feature by feature, filled up with NaN to rows = a whole number of tiles. So loads are 16 bytes wide and nothing looks at edges; a pair
// with the filling is NaN.
//
// 256 threads hold EACH x EACH pairs each, in registers: for a feature a thread reads 2 EACH numbers of shared memory, in 16-byte loads,
// and does 3 EACH^2 operations: sub, mul, add, because a multiply-add rounds once where the definition rounds twice.
#pragma once

constexpr int ACROSS = 16, THREADS = ACROSS * ACROSS;  // threads of a tile
constexpr int LANES = 16 / sizeof(REAL);               // numbers in 16 bytes
constexpr int EACH = 2 * LANES, SIDE = ACROSS * EACH;  // pairs of a thread, points of a tile: 8 and 128 in float, 4 and 64 in double
constexpr int FEATURES = 16;                           // that are in shared memory at a time

struct alignas(16) Lanes { REAL of[LANES]; };

struct Samples {
  const REAL *zt, *wt;
  i64 rows, columns, d;
  bool same;  // both are one sample: only pairs of tiles count, not ordered ones
  __device__ i64 strips() const { return rows / SIDE; }
  __device__ i64 tiles() const { return same ? strips() * (strips() + 1) / 2 : strips() * (columns / SIDE); }
};

struct Tile { i64 row, column; };

// The t-th of all tiles; where both samples are one, of the tiles on the diagonal, then of those on the next diagonal, which wraps around.
__device__ __forceinline__ Tile tile_at(i64 t, const Samples& s) {
  const i64 across = s.columns / SIDE;
  if (s.same) return {t % across, (t % across + t / across) % across};
  return {t / across, t % across};
}

// Which of a tile's points the e-th of a thread is: LANES neighbours, and LANES more half a tile on.
__device__ __forceinline__ int point_of(int thread, int e) { return (e / LANES * ACROSS + thread) * LANES + e % LANES; }

// This thread's distances: rows point_of(threadIdx.x / ACROSS, r) of the tile, columns point_of(threadIdx.x % ACROSS, c).
// d >= 1: before it has them, the block has met at a barrier.
__device__ __forceinline__ void distances(const Samples& s, Tile tile, REAL (&d2)[EACH][EACH]) {
  constexpr int LOADS = SIDE / LANES;
  __shared__ Lanes of_z[FEATURES][LOADS], of_w[FEATURES][LOADS];
  const int tx = threadIdx.x % ACROSS, ty = threadIdx.x / ACROSS;
#pragma unroll
  for (int r = 0; r < EACH; ++r)
#pragma unroll
    for (int c = 0; c < EACH; ++c) d2[r][c] = REAL(0);
  for (i64 begin = 0; begin < s.d; begin += FEATURES) {
    const int features = int(min(i64(FEATURES), s.d - begin));
    __syncthreads();  // everybody has read the features before these
    for (int e = threadIdx.x; e < features * LOADS; e += THREADS) {
      const int k = e / LOADS, v = e % LOADS;
      of_z[k][v] = reinterpret_cast<const Lanes*>(s.zt + (begin + k) * s.rows + tile.row * SIDE)[v];
      of_w[k][v] = reinterpret_cast<const Lanes*>(s.wt + (begin + k) * s.columns + tile.column * SIDE)[v];
    }
    __syncthreads();
    for (int k = 0; k < features; ++k) {
      const Lanes a[2] = {of_z[k][ty], of_z[k][ACROSS + ty]}, b[2] = {of_w[k][tx], of_w[k][ACROSS + tx]};
#pragma unroll
      for (int r = 0; r < EACH; ++r)
#pragma unroll
        for (int c = 0; c < EACH; ++c) {
          const REAL difference = sub_rn(a[r / LANES].of[r % LANES], b[c / LANES].of[c % LANES]);
          d2[r][c] = add_rn(d2[r][c], mul_rn(difference, difference));
        }
    }
  }
}
