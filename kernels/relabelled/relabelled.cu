// a^T K a, a^T K 1 and 1^T K 1, two launches: `relabelled_parts` leaves partial sums, `relabelled_finish` adds them in a fixed order.
//
//     L: the part of K below its diagonal        P = L a        w = L 1        a^T K a = 2 a^T P        a^T K 1 = 1^T P + a^T w        1^T K 1 = 2 1^T w
//
// Floor: arithmetic. A pair takes 2 d + 10 instructions for its k, and one multiply-add for every relabelling. So a block computes the k of a
// strip of TILE rows and a tile of columns once for PANEL relabellings, and keeps their products P in registers, 4 rows x 8 relabellings a
// thread, over GROUP tiles; another panel's block computes k again, a fifth more work at d = 8. A strip's tiles are dealt out to `slices`
// blocks, so that there are enough of them.
// Labels are 0 or 1, so every product is exact: sums depend on their order alone, which is the same for all relabellings.
#include "npae.cuh"
#include "tiles.cuh"

constexpr int GROUP = 16;            // tiles whose products are summed in REAL: 1024 points
constexpr int WIDE = 32 / sizeof(REAL);  // relabellings a thread
constexpr int PANEL = WIDE * SIDE;   // relabellings a block
constexpr int POINTS = 8;            // of a tile, whose labels are in shared memory at once
constexpr int PANEL_ROW = PANEL + 4;
__host__ __device__ constexpr int larger(int a, int b) { return a > b ? a : b; }

__device__ __forceinline__ float power_of_2(float x) { return exp2f(x); }
__device__ __forceinline__ double power_of_2(double x) { return exp2(x); }

// The label of a point under a relabelling; 0 where there is none.
__device__ __forceinline__ int label_of(const signed char* labels, i64 relabelling, i64 count, i64 point, i64 n) {
  return relabelling < count && point < n ? labels[relabelling * n + point] : 0;
}

// k(x_i, x_j) where j < i < n, else 0, of the strip at `row` and the tile at `column`; of_row += the sums of its rows over this thread's pairs.
__device__ __forceinline__ void kernel_tile(
    const REAL* x, i64 row, i64 column, i64 n, i64 d, REAL rate, REAL* k, REAL* at_y, REAL (&of_row)[PER]) {
  REAL d2[PER][PER];
  tile_distances(x, row, n, x, column, n, d, k, at_y, d2);  // k lends its room to the rows
  __syncthreads();
  const int r0 = threadIdx.x / SIDE * PER, c0 = threadIdx.x % SIDE * PER;
#pragma unroll
  for (int r = 0; r < PER; ++r)
#pragma unroll
    for (int c = 0; c < PER; ++c) {
      const i64 i = row + r0 + r, j = column + c0 + c;
      const REAL value = i < n && j < i ? power_of_2(-rate * d2[r][c]) : REAL(0);
      k[(r0 + r) * TILE_ROW + c0 + c] = value;
      of_row[r] += value;
    }
}

// products[r][c] += sum_j k[row r][j] label[j][relabelling c]        a thread's relabellings: 4 from panel + 4 t on, and 4 from 64 further on
__device__ __forceinline__ void multiply(
    const REAL* k, const signed char* labels, i64 panel, i64 count, i64 column, i64 n, REAL* at_labels, REAL (&products)[PER][WIDE]) {
  const REAL* mine = k + threadIdx.x / SIDE * PER * TILE_ROW;
  const int c0 = threadIdx.x % SIDE * PER;
  for (int begin = 0; begin < TILE; begin += POINTS) {
    __syncthreads();  // what lay at_labels before is read, and k is complete
    for (int e = threadIdx.x; e < POINTS * PANEL; e += TILE_THREADS)
      at_labels[e % POINTS * PANEL_ROW + e / POINTS] = REAL(label_of(labels, panel + e / POINTS, count, column + begin + e % POINTS, n));
    __syncthreads();
#pragma unroll
    for (int j = 0; j < POINTS; ++j) {
      REAL of_k[PER];
#pragma unroll
      for (int r = 0; r < PER; ++r) of_k[r] = mine[r * TILE_ROW + begin + j];
#pragma unroll
      for (int c = 0; c < WIDE; ++c) {
        const REAL label = at_labels[j * PANEL_ROW + c % PER + c0 + c / PER * TILE];
#pragma unroll
        for (int r = 0; r < PER; ++r) products[r][c] += of_k[r] * label;
      }
    }
  }
}

// *sum += a^T P, or 1^T P, of the strip: thread t adds up the relabelling t % PANEL, of the one sum or of the other.        P = 0 afterwards
__device__ __forceinline__ void collect(
    const signed char* labels, i64 panel, i64 count, i64 row, i64 n, double* stage, REAL (&products)[PER][WIDE], double* sum) {
  const int side = threadIdx.x / SIDE, c0 = threadIdx.x % SIDE * PER;
  for (int which = 0; which < 2; ++which) {
    __syncthreads();  // what lay in the stage before is read
#pragma unroll
    for (int c = 0; c < WIDE; ++c) {
      const int place = c % PER + c0 + c / PER * TILE;
      double total = 0.0;
#pragma unroll
      for (int r = 0; r < PER; ++r)
        if (which || label_of(labels, panel + place, count, row + side * PER + r, n)) total += double(products[r][c]);
      stage[side * PANEL + place] = total;
      if (which)
#pragma unroll
        for (int r = 0; r < PER; ++r) products[r][c] = REAL(0);
    }
    __syncthreads();
    if (threadIdx.x / PANEL == which)
      for (int s = 0; s < SIDE; ++s) *sum += stage[s * PANEL + threadIdx.x % PANEL];
  }
}

// stage[SIDE * TILE + r] = w of the strip's row r; *sum += a^T w, and *total = 1^T w
__device__ __forceinline__ void collect_rows(
    const signed char* labels, i64 panel, i64 count, i64 row, i64 n, const double (&of_row)[PER], double* stage, double* sum, double* total) {
  double* w = stage + SIDE * TILE;
  __syncthreads();
#pragma unroll
  for (int r = 0; r < PER; ++r) stage[threadIdx.x % SIDE * TILE + threadIdx.x / SIDE * PER + r] = of_row[r];
  __syncthreads();
  if (threadIdx.x < TILE) {
    double v = 0.0;
    for (int s = 0; s < SIDE; ++s) v += stage[s * TILE + threadIdx.x];
    w[threadIdx.x] = v;
  }
  __syncthreads();
  if (threadIdx.x / PANEL == 1)
    for (int r = 0; r < TILE; ++r)
      if (label_of(labels, panel + threadIdx.x % PANEL, count, row + r, n)) *sum += w[r];
  if (threadIdx.x == 0)
    for (int r = 0; r < TILE; ++r) *total += w[r];
}

// Block (part, p): the strip part / slices, its tiles part % slices + 0, slices, 2 slices, ..., the panel p.
extern "C" __global__ void __launch_bounds__(TILE_THREADS) relabelled_parts(
    const REAL* x, i64 n, i64 d, const double* at, double sigma2, const signed char* labels, i64 count, i64 slices, double* found, double* totals) {
  alignas(16) __shared__ unsigned char room[larger(SIDE * PANEL * sizeof(double), TILE * TILE_ROW * sizeof(REAL))];
  alignas(16) __shared__ REAL at_y[larger(FEATURES * TILE_ROW, POINTS * PANEL_ROW)];
  REAL* k = reinterpret_cast<REAL*>(room);
  double* stage = reinterpret_cast<double*>(room);
  const REAL rate = REAL(0.5 / read(at, sigma2) * 1.4426950408889634);
  const i64 strip = blockIdx.x / slices, row = strip * TILE, panel = i64(blockIdx.y) * PANEL;
  REAL products[PER][WIDE] = {};
  double of_row[PER] = {}, sum = 0.0, total = 0.0;
  i64 since = 0;
  for (i64 tile = blockIdx.x % slices; tile <= strip; tile += slices) {
    REAL of_tile[PER] = {};
    kernel_tile(x, row, tile * TILE, n, d, rate, k, at_y, of_tile);
#pragma unroll
    for (int r = 0; r < PER; ++r) of_row[r] += double(of_tile[r]);
    multiply(k, labels, panel, count, tile * TILE, n, at_y, products);
    if (++since < GROUP && tile + slices <= strip) continue;
    collect(labels, panel, count, row, n, stage, products, &sum);
    since = 0;
  }
  collect_rows(labels, panel, count, row, n, of_row, stage, &sum, &total);
  const i64 relabelling = panel + threadIdx.x % PANEL;
  if (threadIdx.x / PANEL < 2 && relabelling < count) found[(2 * i64(blockIdx.x) + threadIdx.x / PANEL) * count + relabelling] = sum;
  if (blockIdx.y == 0 && threadIdx.x == 0) totals[blockIdx.x] = total;
}

// sums_0 = 2 a^T P        sums_1 = 1^T P + a^T w        *total = 2 1^T w        from the parts, in their order
extern "C" __global__ void relabelled_finish(const double* found, const double* totals, i64 parts, i64 count, double* sums, double* total) {
  for (i64 e = blockIdx.x * i64(blockDim.x) + threadIdx.x; e < 2 * count; e += i64(gridDim.x) * blockDim.x) {
    double sum = 0.0;
    for (i64 p = 0; p < parts; ++p) sum += found[2 * p * count + e];
    sums[e] = e < count ? 2.0 * sum : sum;
  }
  if (blockIdx.x) return;
  double all = 0.0;
  for (i64 p = threadIdx.x; p < parts; p += blockDim.x) all += totals[p];
  all = block_sum(all);
  if (threadIdx.x == 0) *total = 2.0 * all;
}
