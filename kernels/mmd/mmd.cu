// MMD^2_u and its gradient, two launches: `rows` or `tiles` leaves partial sums, `mmd_finish` adds them in a fixed order.
//
//     value = sum_{i != j} k(z_i, z_j) / (n (n-1)) + 2 sum_{j < i} k(w_i, w_j) / (m (m-1)) - 2 sum k(z_i, w_j) / (n m)
//     dz_i  = 4/(n m) sum_j g(z_i, w_j) (z_i - w_j) - 4/(n (n-1)) sum_j g(z_i, z_j) (z_i - z_j)        g = -dk/d(d2)
//
// Differences come before everything: nothing cancels that need not, wherever the points lie, and a pair of a point with itself pulls by 0.
// Its distance is 0 as well, or NaN where the point is not finite, and 0 times that is what the pair adds to the value.
//
// Floor: arithmetic. A pair takes d subtractions, d multiply-adds for its distance, d for its pull, and eight instructions besides: 32 at
// d = 8, on 2.5 n^2 pairs. So everything stays in registers. `rows`, for points of at most 64 bytes: a thread holds two rows (or one), and
// all threads read the same column from shared memory. `tiles`, for any d: a thread holds 4 x 4 pairs; g times the differences is a second
// product, which takes the differences again.
// A block meets one slice of the columns. Sums of k are taken in REAL over one tile, pulls over GROUP columns, everything above in float64.
#include "npae.cuh"
#include "tiles.cuh"

constexpr int GROUP = 1024;                // columns whose pulls are summed in REAL
constexpr int HEIGHT = 128, COLUMNS = 64;  // of `rows`: a block's rows, and the columns that are in shared memory at once
__host__ __device__ constexpr int threads_for(int bytes) { return sizeof(REAL) == 4 && bytes <= 32 ? HEIGHT / 2 : HEIGHT; }

__device__ __forceinline__ float power_of_2(float x) { return exp2f(x); }
__device__ __forceinline__ double power_of_2(double x) { return exp2(x); }
__device__ __forceinline__ float reciprocal(float x) { return __fdividef(1.0f, x); }  // within two units of the last place
__device__ __forceinline__ double reciprocal(double x) { return 1.0 / x; }

// k = exp(-d2 / (2 sigma2))        g = k / (2 sigma2), of which `factor` is taken out
struct Gaussian {
  double factor;
  REAL rate;
  __device__ Gaussian(const double* at, double sigma2, i64) : factor(0.5 / read(at, sigma2)), rate(REAL(factor * 1.4426950408889634)) {}
  __device__ __forceinline__ void operator()(REAL d2, REAL& k, REAL& g) const { k = g = power_of_2(-rate * d2); }
};

// k = sum_s C_s / (C_s + d2)        g = sum_s C_s / (C_s + d2)^2
struct Multiquadratic {
  static constexpr double factor = 1.0;
  const REAL* scales;
  int count;
  __device__ Multiquadratic(const double* at, double, i64 length) : count(int(length)) {
    extern __shared__ REAL room[];
    for (int s = threadIdx.x; s < count; s += blockDim.x) room[s] = REAL(at[s]);
    scales = room;  // a barrier comes before they are read: that of the first columns
  }
  __device__ __forceinline__ void operator()(REAL d2, REAL& k, REAL& g) const {
    k = g = REAL(0);
    for (int s = 0; s < count; ++s) {
      const REAL c = scales[s], r = reciprocal(c + d2), part = c * r;
      k += part;
      g += part * r;
    }
  }
};

// What a block does: rows x_i from `row` on against columns y_j, begin <= j < end.
struct Part {
  const REAL *x, *y;
  int row, rows, begin, end;
  bool same, below;  // x and y are one sample; only pairs j < i count
  int slice;         // where the pulls go; with `below` none are asked for
  double weight, pull;
};

__device__ __forceinline__ int least(int a, int b) { return a < b ? a : b; }

// Blocks 0, 1, ... take the strips of z, each against the slices of z, then those of w; after them the strips of w against slices of w.
__device__ __forceinline__ Part part_of_block(
    const REAL* z, const REAL* w, int n, int m, int height, int slices_z, int reach_z, int slices_w, int reach_w) {
  const int slices = slices_z + slices_w, of_z = (n + height - 1) / height * slices, block = blockIdx.x;
  if (block >= of_z) {
    const int row = (block - of_z) / slices_w * height, begin = (block - of_z) % slices_w * reach_w;
    return {w, w, row, m, begin, least(least(m, row + height), begin + reach_w), true, true, 0, 2.0 / (double(m) * double(m - 1)), 0.0};
  }
  const int row = block / slices * height, slice = block % slices;
  if (slice < slices_z) {
    const double pairs = double(n) * double(n - 1);
    return {z, z, row, n, slice * reach_z, least(n, (slice + 1) * reach_z), true, false, slice, 1.0 / pairs, -4.0 / pairs};
  }
  const int begin = (slice - slices_z) * reach_w;
  const double pairs = double(n) * double(m);
  return {z, w, row, n, begin, least(m, begin + reach_w), false, false, slice, -2.0 / pairs, 4.0 / pairs};
}

// What a pair that does not count adds to the value.
__device__ __forceinline__ REAL uncounted(REAL d2, bool itself) { return itself ? REAL(0) * d2 : REAL(0); }

// found[block] = the block's share of the value, and of the same means of k d2.
__device__ __forceinline__ void leave(double total, double moment, double weight, double* found) {
  total = block_sum(total);
  moment = block_sum(moment);
  if (threadIdx.x == 0) found[2 * blockIdx.x] = weight * total, found[2 * blockIdx.x + 1] = weight * moment;
}

// A thread's rows against `width` columns in shared memory: adds to their sums of k, of k d2 and, with PULLS, of g (x_i - y_j).
// DIAGONAL: row r is column `itself` + r STEP, which does not count, nor do those behind it if only pairs `below` the diagonal do.
template <bool DIAGONAL, bool PULLS, int STEP, class Shape, int EACH, int D>
__device__ __forceinline__ void meet(
    const Shape& shape, const REAL (&x)[EACH][D], const REAL (*columns)[D], int width, int itself, bool below, REAL (&total)[EACH],
    REAL (&moment)[EACH], REAL (&pulls)[EACH][D]) {
#pragma unroll(PULLS && !DIAGONAL ? 2 : 1)
  for (int j = 0; j < width; ++j) {
#pragma unroll
    for (int r = 0; r < EACH; ++r) {
      REAL difference[D], d2 = REAL(0), k, g;
#pragma unroll
      for (int f = 0; f < D; ++f) difference[f] = x[r][f] - columns[j][f], d2 += difference[f] * difference[f];
      shape(d2, k, g);
      if (DIAGONAL && (j == itself + r * STEP || (below && j > itself + r * STEP))) k = uncounted(d2, j == itself + r * STEP);
      total[r] += k;
      moment[r] += k * d2;
      if constexpr (PULLS) {
#pragma unroll
        for (int f = 0; f < D; ++f) pulls[r][f] += g * difference[f];
      }
    }
  }
}

#define PARAMETERS                                                                                                               \
  const REAL *z, const REAL *w, i64 n, i64 m, i64 features, const double *at, double value, i64 count, i64 slices_z, i64 reach_z, \
      i64 slices_w, i64 reach_w, double *pulled, double *found
#define ARGUMENTS z, w, n, m, features, at, value, count, slices_z, reach_z, slices_w, reach_w, pulled, found

template <class Shape, int BYTES>
__device__ __forceinline__ void rows(PARAMETERS) {
  constexpr int D = BYTES / sizeof(REAL), EACH = HEIGHT / threads_for(BYTES), STEP = threads_for(BYTES);
  alignas(16) __shared__ REAL columns[COLUMNS][D];
  const Shape shape(at, value, count);
  const Part part = part_of_block(z, w, int(n), int(m), HEIGHT, int(slices_z), int(reach_z), int(slices_w), int(reach_w));
  const int d = int(features), there = least(part.rows - part.row, HEIGHT);  // rows; a thread beyond the last repeats it, and keeps nothing
  REAL x[EACH][D], pulls[EACH][D] = {};
#pragma unroll
  for (int r = 0; r < EACH; ++r) {
    const REAL* from = part.x + i64(part.row + least(int(threadIdx.x) + r * STEP, there - 1)) * d;
#pragma unroll
    for (int f = 0; f < D; ++f) x[r][f] = f < d ? from[f] : REAL(0);
  }
  double total = 0.0, moment = 0.0;
  int since = 0, length = part.end - part.begin;  // pulls of the columns before `since` are stored
  for (int first = 0; first < length; first += COLUMNS) {
    const int width = least(length - first, COLUMNS);
    const REAL* y = part.y + i64(part.begin + first) * d;
    __syncthreads();  // the columns before are read
    for (int e = threadIdx.x; e < width * D; e += STEP) columns[e / D][e % D] = e % D < d ? y[e / D * d + e % D] : REAL(0);
    __syncthreads();
    REAL of_k[EACH] = {}, of_kd2[EACH] = {};
    const int ahead = part.row - part.begin - first;  // of the strip's first row, from the first column
    if (part.same && ahead < width && ahead + HEIGHT > 0)
      meet<true, true, STEP>(shape, x, columns, width, ahead + int(threadIdx.x), part.below, of_k, of_kd2, pulls);
    else if (part.below)
      meet<false, false, STEP>(shape, x, columns, width, 0, false, of_k, of_kd2, pulls);
    else
      meet<false, true, STEP>(shape, x, columns, width, 0, false, of_k, of_kd2, pulls);
#pragma unroll
    for (int r = 0; r < EACH; ++r)
      if (int(threadIdx.x) + r * STEP < there) total += double(of_k[r]), moment += double(of_kd2[r]);
    if (part.below || (first + COLUMNS < length && first + COLUMNS - since < GROUP)) continue;
    double* to = pulled + (i64(part.slice) * part.rows + part.row + threadIdx.x) * d;
#pragma unroll
    for (int r = 0; r < EACH; ++r, to += STEP * d)
#pragma unroll
      for (int f = 0; f < D; ++f) {
        const double more = part.pull * shape.factor * double(pulls[r][f]);
        if (int(threadIdx.x) + r * STEP < there && f < d) to[f] = since ? to[f] + more : more;
        pulls[r][f] = REAL(0);
      }
    since = first + COLUMNS;
  }
  leave(total, moment, part.weight, found);
}

// pulls[r][c] += sum_j g[row r][j] (x[row r][feature c] - y[first + j][feature c]) of this thread's 4 rows and 4 features from `begin` on
__device__ __forceinline__ void pull_tile(
    const Part& part, int first, int begin, int d, const REAL* g, REAL* at_y, REAL (&pulls)[PER][PER]) {
  const int row = part.row + threadIdx.x / SIDE * PER;
  const int feature = threadIdx.x % SIDE * PER;
  REAL x[PER][PER];
#pragma unroll
  for (int r = 0; r < PER; ++r)
#pragma unroll
    for (int c = 0; c < PER; ++c)
      x[r][c] = row + r < part.rows && begin + feature + c < d ? part.x[i64(row + r) * d + begin + feature + c] : REAL(0);
  const REAL* mine = g + threadIdx.x / SIDE * PER * TILE_ROW;
  for (int j = 0; j < TILE; j += FEATURES) {
    __syncthreads();  // what lay at_y before is read, and g is complete
    for (int e = threadIdx.x; e < FEATURES * TILE; e += TILE_THREADS) {
      const int column = first + j + e / TILE, f = begin + e % TILE;
      at_y[e / TILE * TILE_ROW + e % TILE] = column < part.end && f < d ? part.y[i64(column) * d + f] : REAL(0);
    }
    __syncthreads();
#pragma unroll(sizeof(REAL) == 4 ? 8 : 1)
    for (int q = 0; q < FEATURES; ++q) {
      REAL weights[PER];
#pragma unroll
      for (int r = 0; r < PER; ++r) weights[r] = mine[r * TILE_ROW + j + q];
#pragma unroll
      for (int c = 0; c < PER; ++c) {
        const REAL y = at_y[q * TILE_ROW + feature + c];
#pragma unroll
        for (int r = 0; r < PER; ++r) pulls[r][c] += weights[r] * (x[r][c] - y);
      }
    }
  }
}

template <class Shape>
__device__ __forceinline__ void tiles(PARAMETERS) {
  alignas(16) __shared__ REAL at_g[TILE * TILE_ROW], at_y[FEATURES * TILE_ROW];
  const Shape shape(at, value, count);
  const Part part = part_of_block(z, w, int(n), int(m), TILE, int(slices_z), int(reach_z), int(slices_w), int(reach_w));
  const int d = int(features), row = part.row + threadIdx.x / SIDE * PER;
  const int column = threadIdx.x % SIDE * PER;
  double total = 0.0, moment = 0.0;
  REAL pulls[PER][PER] = {};
  int since = part.begin;
  for (int first = part.begin; first < part.end; first += TILE) {
    REAL d2[PER][PER], of_k = REAL(0), of_kd2 = REAL(0);
    tile_distances(part.x, part.row, part.rows, part.y, first, part.end, d, at_g, at_y, d2);  // at_g lends its room to the rows
    __syncthreads();
#pragma unroll
    for (int r = 0; r < PER; ++r)
#pragma unroll
      for (int c = 0; c < PER; ++c) {
        const int i = row + r, j = first + column + c;
        const bool there = i < part.rows && j < part.end;
        REAL k, g;
        shape(d2[r][c], k, g);
        if (!there || (part.same && i == j) || (part.below && j > i)) k = uncounted(d2[r][c], there && i == j);
        of_k += k;
        of_kd2 += there ? k * d2[r][c] : REAL(0);
        at_g[(threadIdx.x / SIDE * PER + r) * TILE_ROW + column + c] = there ? g : REAL(0);
      }
    total += double(of_k);
    moment += double(of_kd2);
    if (part.below) continue;
    const bool last = first + TILE >= part.end, store = d > TILE || last || first + TILE - since == GROUP;
    for (int begin = 0; begin < d; begin += TILE) {
      pull_tile(part, first, begin, d, at_g, at_y, pulls);
      if (!store) continue;
#pragma unroll
      for (int r = 0; r < PER; ++r)
#pragma unroll
        for (int c = 0; c < PER; ++c) {
          const int feature = begin + column + c;
          if (row + r < part.rows && feature < d) {
            double* to = pulled + (i64(part.slice) * part.rows + row + r) * d + feature;
            const double more = part.pull * shape.factor * double(pulls[r][c]);
            *to = since == part.begin ? more : *to + more;
          }
          pulls[r][c] = REAL(0);
        }
    }
    if (store) since = first + TILE;
  }
  leave(total, moment, part.weight, found);
}

extern "C" __global__ void __launch_bounds__(HEIGHT, 4) rbf_rows_16(PARAMETERS) { rows<Gaussian, 16>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(HEIGHT, 4) rbf_rows_32(PARAMETERS) { rows<Gaussian, 32>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(HEIGHT, 4) rbf_rows_64(PARAMETERS) { rows<Gaussian, 64>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(TILE_THREADS, RESIDENT) rbf_tiles(PARAMETERS) { tiles<Gaussian>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(HEIGHT, 4) imq_rows_16(PARAMETERS) { rows<Multiquadratic, 16>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(HEIGHT, 4) imq_rows_32(PARAMETERS) { rows<Multiquadratic, 32>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(HEIGHT, 4) imq_rows_64(PARAMETERS) { rows<Multiquadratic, 64>(ARGUMENTS); }
extern "C" __global__ void __launch_bounds__(TILE_THREADS, RESIDENT) imq_tiles(PARAMETERS) { tiles<Multiquadratic>(ARGUMENTS); }

// dz = the sum of the slices' pulls (slices, size)        *mmd = the sum of the parts' shares        *slope = that of k d2 / (2 sigma2^2)
// Of inverse multiquadratic kernels nobody asks for the slope: `at` is their first constant.
extern "C" __global__ void mmd_finish(
    const double* pulled, i64 slices, i64 size, REAL* dz, const double* found, i64 parts, const double* at, double value, double* mmd,
    double* slope) {
  for (i64 e = blockIdx.x * i64(blockDim.x) + threadIdx.x; e < size; e += i64(gridDim.x) * blockDim.x) {
    double total = 0.0;
#pragma unroll 8
    for (i64 s = 0; s < slices; ++s) total += pulled[s * size + e];
    dz[e] = REAL(total);
  }
  if (blockIdx.x) return;
  double total = 0.0, moment = 0.0;
  for (i64 p = threadIdx.x; p < parts; p += blockDim.x) total += found[2 * p], moment += found[2 * p + 1];
  total = block_sum(total);
  moment = block_sum(moment);
  if (threadIdx.x) return;
  const double rate = 0.5 / read(at, value);
  *mmd = total + 0.0 * rate;  // without a bandwidth there is no value
  *slope = 2.0 * rate * rate * moment;
}
