// Squared distances of TILE rows and TILE columns, computed by TILE_THREADS threads that hold PER x PER of them each, in registers.
//
// Thread t holds rows  PER (t / SIDE) + 0 .. PER - 1  and columns  PER (t % SIDE) + 0 .. PER - 1  of the tile: eight numbers are read from
// shared memory for sixteen pairs. Differences come before squares, so an offset that all points share costs no digits.
#pragma once

constexpr int TILE = 64, PER = 4, SIDE = TILE / PER, TILE_THREADS = SIDE * SIDE;
constexpr int FEATURES = 16;       // that are in shared memory at once
constexpr int TILE_ROW = TILE + 4;  // a row of a tile in shared memory: still whole 16 bytes, and other banks than the row before it
constexpr int RESIDENT = sizeof(REAL) == 4 ? 2 : 1;  // blocks that a multiprocessor must hold: float64 would spill at 128 registers

// PER numbers of shared memory, read at once: `at` is a multiple of 16 bytes.
struct alignas(16) Numbers {
  REAL of[PER];
};
__device__ __forceinline__ Numbers numbers(const REAL* at) { return *reinterpret_cast<const Numbers*>(at); }

// out[k][p] = points[first + p][begin + k] for FEATURES features of TILE points; 0 beyond the last point or feature.
__device__ __forceinline__ void load_features(const REAL* points, int first, int end, int begin, int d, REAL* out) {
  const int k = threadIdx.x % FEATURES;
  for (int p = threadIdx.x / FEATURES; p < TILE; p += TILE_THREADS / FEATURES)
    out[k * TILE_ROW + p] = first + p < end && begin + k < d ? points[i64(first + p) * d + begin + k] : REAL(0);
}

// d2[r][c] = sum_k (x[row + r] - y[column + c])^2 of this thread's pairs. at_x and at_y: FEATURES x TILE_ROW numbers of shared memory.
__device__ __forceinline__ void tile_distances(
    const REAL* x, int row, int rows, const REAL* y, int column, int columns, int d, REAL* at_x, REAL* at_y, REAL (&d2)[PER][PER]) {
  const REAL *mine_x = at_x + threadIdx.x / SIDE * PER, *mine_y = at_y + threadIdx.x % SIDE * PER;
#pragma unroll
  for (int r = 0; r < PER; ++r)
#pragma unroll
    for (int c = 0; c < PER; ++c) d2[r][c] = REAL(0);
  for (int begin = 0; begin < d; begin += FEATURES) {
    __syncthreads();  // nobody reads what lay here before
    load_features(x, row, rows, begin, d, at_x);
    load_features(y, column, columns, begin, d, at_y);
    __syncthreads();
    const int together = d - begin < FEATURES ? d - begin : FEATURES;
#pragma unroll(sizeof(REAL) == 4 ? 4 : 1)
    for (int k = 0; k < together; ++k) {
      const Numbers of_x = numbers(mine_x + k * TILE_ROW), of_y = numbers(mine_y + k * TILE_ROW);
#pragma unroll
      for (int r = 0; r < PER; ++r)
#pragma unroll
        for (int c = 0; c < PER; ++c) {
          const REAL difference = of_x.of[r] - of_y.of[c];
          d2[r][c] += difference * difference;
        }
    }
  }
}
