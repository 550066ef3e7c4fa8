// KL(N(mu, sigma^2) || N(0, 1)) with its gradients in one pass, for three ways of giving sigma.        mu and the rest (B, Z)
//
// Floor: two arrays read and two written; at (100, 8) the wait for memory, once. A block lies over the matrix as `width` columns by `rows`
// rows, width = min(Z, 256): a thread stays in one column and the loads of a warp are contiguous. ROWS elements are read before the first is
// computed. Columns are summed in float64 by a tree of that shape, then over the blocks by the block that comes last, always in one order.
#include "npae.cuh"

constexpr int THREADS = 256, ROWS = 4;

// The sum of v down each column of the block; thread j < width has that of column j.
__device__ __forceinline__ double down_columns(double v, int width, int rows) {
  __shared__ double sums[THREADS];
  const int t = threadIdx.x;
  sums[t] = v;
  __syncthreads();
  for (int half; rows > 1; rows = half) {
    half = (rows + 1) / 2;
    if (t < (rows - half) * width) sums[t] += sums[t + half * width];
    __syncthreads();
  }
  return sums[t];  // the next call writes it first, and in this thread
}

// Thread j < width leaves the sum of its column; returns what it left, others 0.
__device__ __forceinline__ double leave(double sum, double scale, int width, double* per_unit) {
  return int(threadIdx.x) < width ? per_unit[threadIdx.x] = scale * sum : 0.0;
}

__device__ __forceinline__ void leave_value(double mine, double* value) {
  mine = block_sum(mine);
  if (threadIdx.x == 0) *value = mine;
}

// The last block: partials (groups, Z) summed over the groups.
__device__ __forceinline__ void sum_groups(const double* partials, i64 groups, i64 Z, double scale, double* per_unit, double* value) {
  double total = 0.0;
  for (i64 first = 0; first < Z; first += THREADS) {
    const int width = int(min(i64(THREADS), Z - first)), rows = THREADS / width, row = threadIdx.x / width, j = threadIdx.x % width;
    double sum = 0.0;
    if (row < rows)
#pragma unroll 8
      for (i64 g = row; g < groups; g += rows) sum += __ldcg(partials + g * Z + first + j);
    total += leave(down_columns(sum, width, rows), scale, width, per_unit + first);
  }
  leave_value(total, value);
}

// Block (column chunk, group of rows). term(mu, second, gradient) is an element of the sum, and its slope by the second parameter.
template <class Term>
__device__ __forceinline__ void gaussian_kl(
    Term term, const REAL* mu, const REAL* second, double scale, REAL* dmu, REAL* dsecond, double* per_unit, i64 B, i64 Z, i64 groups,
    double* partials, u32* ticket, double* value) {
  const u32 across = u32(groups), group = blockIdx.x % across;
  const i64 first = i64(blockIdx.x / across) * THREADS;
  const int width = int(min(i64(THREADS), Z - first)), rows = THREADS / width, row = threadIdx.x / width, j = threadIdx.x % width;
  const REAL factor = REAL(scale);
  double sum = 0.0;
  for (i64 above = i64(group) * rows * ROWS; row < rows && above < B; above += groups * rows * ROWS) {
    REAL m[ROWS], s[ROWS];
#pragma unroll
    for (int k = 0; k < ROWS; ++k) {
      const i64 b = above + row + k * rows, at = b * Z + first + j;
      m[k] = b < B ? mu[at] : REAL(0);
      s[k] = b < B ? second[at] : REAL(1);
    }
#pragma unroll
    for (int k = 0; k < ROWS; ++k) {
      const i64 b = above + row + k * rows, at = b * Z + first + j;
      if (b >= B) break;
      REAL slope;
      sum += double(term(m[k], s[k], slope));
      dmu[at] = factor * m[k];
      dsecond[at] = factor * slope;
    }
  }
  sum = down_columns(sum, width, rows);
  if (gridDim.x == 1) return leave_value(leave(sum, scale, width, per_unit), value);  // nobody to wait for
  if (int(threadIdx.x) < width) partials[group * Z + first + j] = sum;
  if (last_block(ticket)) sum_groups(partials, groups, Z, scale, per_unit, value);
}

// expm1 keeps the digits where sigma is close to 1, and the divergence close to 0.
struct LogStd {
  __device__ __forceinline__ REAL operator()(REAL mu, REAL s, REAL& slope) const {
    slope = expm1(s + s);
    return REAL(0.5) * (slope - (s + s) + mu * mu);
  }
};

struct LogVariance {
  __device__ __forceinline__ REAL operator()(REAL mu, REAL v, REAL& slope) const {
    const REAL excess = expm1(v);
    slope = REAL(0.5) * excess;
    return REAL(0.5) * (excess - v + mu * mu);
  }
};

struct Sigma {
  __device__ __forceinline__ REAL operator()(REAL mu, REAL sigma, REAL& slope) const {
    slope = sigma - REAL(1) / sigma;
    return REAL(0.5) * (sigma * sigma + mu * mu - REAL(1)) - log(sigma);
  }
};

extern "C" __global__ void __launch_bounds__(256, 4) gaussian_kl_log_std(
    const REAL* mu, const REAL* s, double scale, REAL* dmu, REAL* ds, double* per_unit, i64 B, i64 Z, i64 groups, double* partials,
    u32* ticket, double* value) {
  gaussian_kl(LogStd(), mu, s, scale, dmu, ds, per_unit, B, Z, groups, partials, ticket, value);
}

extern "C" __global__ void __launch_bounds__(256, 4) gaussian_kl_log_variance(
    const REAL* mu, const REAL* v, double scale, REAL* dmu, REAL* dv, double* per_unit, i64 B, i64 Z, i64 groups, double* partials,
    u32* ticket, double* value) {
  gaussian_kl(LogVariance(), mu, v, scale, dmu, dv, per_unit, B, Z, groups, partials, ticket, value);
}

extern "C" __global__ void __launch_bounds__(256, 4) gaussian_kl_sigma(
    const REAL* mu, const REAL* sigma, double scale, REAL* dmu, REAL* dsigma, double* per_unit, i64 B, i64 Z, i64 groups, double* partials,
    u32* ticket, double* value) {
  gaussian_kl(Sigma(), mu, sigma, scale, dmu, dsigma, per_unit, B, Z, groups, partials, ticket, value);
}
