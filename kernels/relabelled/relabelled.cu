// a^T K a, a^T K 1 and 1^T K 1, two launches: `relabelled_parts` leaves partial sums, `relabelled_finish` adds them in a fixed order.
//
//     L: the part of K below its diagonal        P = L a        w = L 1
//     a^T K a = 2 a^T P        a^T K 1 = 1^T P + a^T w        1^T K 1 = 2 1^T w
//
// Floor: arithmetic. A pair takes 2 d + 10 instructions for its k, and one multiply-add for every relabelling. So a block computes the k of
// a strip of TILE rows and a tile of columns once for PANEL relabellings, whose products P stay in registers, 4 rows x WIDE relabellings a
// thread, over GROUP tiles; another panel's block computes k again, a fifth more work at d = 8. The tiles of a strip are dealt out to
// `slices` blocks, so that there are enough of them.
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
__device__ __forceinline__ int label_of(const signed char* labels, int relabelling, int count, int point, int n) {
  return relabelling < count && point < n ? labels[i64(relabelling) * n + point] : 0;
}

// k(x_i, x_j) where j < i < n, else 0, of the strip at `row` and the tile at `column`; w[r] += the sum of row r, in REAL.
__device__ __forceinline__ void kernel_tile(
    const REAL* x, int row, int column, int n, int d, REAL rate, REAL* k, REAL* at_y, double* w) {
  REAL d2[PER][PER];
  tile_distances(x, row, n, x, column, n, d, k, at_y, d2);  // k lends its room to the rows
  __syncthreads();
  const int r0 = threadIdx.x / SIDE * PER, c0 = threadIdx.x % SIDE * PER;
#pragma unroll
  for (int r = 0; r < PER; ++r) {
    REAL total = REAL(0);
#pragma unroll
    for (int c = 0; c < PER; ++c) {
      const int i = row + r0 + r, j = column + c0 + c;
      const REAL value = i < n && j < i ? power_of_2(-rate * d2[r][c]) : REAL(0);
      k[(r0 + r) * TILE_ROW + c0 + c] = value;
      total += value;
    }
    for (int offset = SIDE / 2; offset > 0; offset /= 2) total += __shfl_xor_sync(0xffffffffu, total, offset);
    if (threadIdx.x % SIDE == 0) w[r0 + r] += double(total);  // always the same thread
  }
}

// products[r][c] += sum_j k[row r][j] label[j][relabelling c]        a thread's relabellings: 4 in a row; in float32 4 more, 64 further on
__device__ __forceinline__ void multiply(
    const REAL* k, const signed char* labels, int panel, int count, int column, int n, REAL* at_labels, REAL (&products)[PER][WIDE]) {
  const REAL* mine = k + threadIdx.x / SIDE * PER * TILE_ROW;
  const int c0 = threadIdx.x % SIDE * PER;
  for (int begin = 0; begin < TILE; begin += POINTS) {
    __syncthreads();  // what lay at_labels before is read, and k is complete
    for (int e = threadIdx.x; e < POINTS * PANEL; e += TILE_THREADS)
      at_labels[e % POINTS * PANEL_ROW + e / POINTS] = REAL(label_of(labels, panel + e / POINTS, count, column + begin + e % POINTS, n));
    __syncthreads();
#pragma unroll(sizeof(REAL) == 4 ? POINTS : 1)
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

// *sum += a^T P, or 1^T P, of the strip: thread t adds up the relabelling t % PANEL, of the one sum or the other.        P = 0 afterwards
__device__ __forceinline__ void collect(
    const signed char* labels, int panel, int count, int row, int n, double* stage, REAL (&products)[PER][WIDE], double* sum) {
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

// Block (part, p): the strip part / slices, its tiles part % slices + 0, slices, 2 slices, ..., the panel p.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, RESIDENT) relabelled_parts(
    const REAL* x, i64 points, i64 d, const double* at, double sigma2, const signed char* labels, i64 relabellings, i64 slices,
    double* found, double* totals) {
  alignas(16) __shared__ unsigned char room[larger(SIDE * PANEL * sizeof(double), TILE * TILE_ROW * sizeof(REAL))];
  alignas(16) __shared__ REAL at_y[larger(FEATURES * TILE_ROW, POINTS * PANEL_ROW)];
  __shared__ double w[TILE];
  REAL* k = reinterpret_cast<REAL*>(room);
  const REAL rate = REAL(0.5 / read(at, sigma2) * 1.4426950408889634);
  const int n = int(points), count = int(relabellings), strip = int(blockIdx.x / slices), row = strip * TILE, panel = blockIdx.y * PANEL;
  REAL products[PER][WIDE] = {};
  double sum = 0.0;
  int since = 0;
  if (threadIdx.x < TILE) w[threadIdx.x] = 0.0;
  const int first = int(blockIdx.x % slices), height = first <= strip ? TILE : 0;  // rows of w; a part without tiles has none
  for (int tile = first; tile <= strip; tile += int(slices)) {
    kernel_tile(x, row, tile * TILE, n, int(d), rate, k, at_y, w);
    multiply(k, labels, panel, count, tile * TILE, n, at_y, products);
    if (++since < GROUP && tile + slices <= strip) continue;
    collect(labels, panel, count, row, n, reinterpret_cast<double*>(room), products, &sum);
    since = 0;
  }
  const int relabelling = panel + threadIdx.x % PANEL, which = threadIdx.x / PANEL;
  if (which == 1)
    for (int r = 0; r < height; ++r)  // written before the barriers of `collect`
      if (label_of(labels, relabelling, count, row + r, n)) sum += w[r];
  if (which < 2 && relabelling < count) found[(2 * i64(blockIdx.x) + which) * count + relabelling] = sum;
  if (blockIdx.y || threadIdx.x) return;
  double total = 0.0;
  for (int r = 0; r < height; ++r) total += w[r];
  totals[blockIdx.x] = total;
}

// sums_0 = 2 a^T P        sums_1 = 1^T P + a^T w        *total = 2 1^T w        from the parts, in their order
extern "C" __global__ void relabelled_finish(const double* found, const double* totals, i64 parts, i64 count, double* sums, double* total) {
  for (i64 e = blockIdx.x * i64(blockDim.x) + threadIdx.x; e < 2 * count; e += i64(gridDim.x) * blockDim.x) {
    double sum = 0.0;
#pragma unroll 8
    for (i64 p = 0; p < parts; ++p) sum += found[2 * p * count + e];
    sums[e] = e < count ? 2.0 * sum : sum;
  }
  if (blockIdx.x) return;
  double all = 0.0;
  for (i64 p = threadIdx.x; p < parts; p += blockDim.x) all += totals[p];
  all = block_sum(all);
  if (threadIdx.x == 0) *total = 2.0 * all;
}
