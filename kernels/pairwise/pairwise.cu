// out_ij = sum_k (x_ik - y_jk)^2        x (n, d)   y (m, d)   out (n, m)        one block for each tile of ROWS x COLUMNS pairs
//
// Floor: n m sizeof(REAL) bytes written while d is small, 3 n m d operations (no multiply-add may be used) once d exceeds about ten.
// A thread holds 4 x 4 pairs in registers: for the 48 operations of a feature it reads 8 numbers of shared memory, four of them the same
// in its whole warp. A warp writes 32 neighbours of a row at a time. Features come FEATURES at a time, transposed on the way in.
#include "npae.cuh"

constexpr int ROWS = 32, COLUMNS = 128, FEATURES = 16;
constexpr int THREADS = 256, EACH = 4;  // a thread's pairs: rows EACH ty to EACH ty + 3, columns tx, tx + 32, tx + 64, tx + 96
constexpr int GAP = 4;                  // between features in shared memory, so that a transposed store meets other banks

// Features k0, k0 + 1, ... of `count` points from i0 on; points past the last one are not read, and not written by anybody later.
template <int COUNT>
__device__ __forceinline__ void load(const REAL* x, i64 n, i64 d, i64 i0, i64 k0, REAL (&to)[FEATURES][COUNT + GAP]) {
  for (int e = threadIdx.x; e < COUNT * FEATURES; e += THREADS) {
    const int i = e / FEATURES, k = e % FEATURES;
    if (k0 + k < d) to[k][i] = i0 + i < n ? x[(i0 + i) * d + k0 + k] : REAL(0);
  }
}

extern "C" __global__ void __launch_bounds__(256, 2) pairwise_squared(const REAL* x, i64 n, const REAL* y, i64 m, i64 d, REAL* out) {
  alignas(16) __shared__ REAL rows[FEATURES][ROWS + GAP];
  __shared__ REAL columns[FEATURES][COLUMNS + GAP];
  const i64 across = (m + COLUMNS - 1) / COLUMNS, i0 = blockIdx.x / across * ROWS, j0 = blockIdx.x % across * COLUMNS;
  const int tx = threadIdx.x % WARP, ty = threadIdx.x / WARP;
  REAL d2[EACH][EACH] = {};
  for (i64 k0 = 0; k0 < d; k0 += FEATURES) {
    const int features = int(min(i64(FEATURES), d - k0));
    __syncthreads();  // everybody has read the features before these
    load<ROWS>(x, n, d, i0, k0, rows);
    load<COLUMNS>(y, m, d, j0, k0, columns);
    __syncthreads();
    for (int k = 0; k < features; ++k) {
      REAL of_row[EACH], of_column[EACH];
      for (int e = 0; e < EACH; ++e) of_row[e] = rows[k][EACH * ty + e], of_column[e] = columns[k][tx + WARP * e];
      for (int r = 0; r < EACH; ++r)
        for (int c = 0; c < EACH; ++c) {
          const REAL difference = sub_rn(of_row[r], of_column[c]);
          d2[r][c] = add_rn(d2[r][c], mul_rn(difference, difference));
        }
    }
  }
  for (int r = 0; r < EACH; ++r)
    for (int c = 0; c < EACH; ++c) {
      const i64 i = i0 + EACH * ty + r, j = j0 + tx + WARP * c;
      if (i < n && j < m) out[i * m + j] = d2[r][c];
    }
}
