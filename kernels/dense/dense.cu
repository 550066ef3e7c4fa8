// C = A B for tiles of C, with what a dense layer does around it. M, N: rows and columns of C. K: what is summed over.
//
//     affine                  y  = f(x W + b)            A = x     B = W
//     heads                   y = x W + b,  y2 = x W2 + b2     the tiles of both in one launch
//     affine_data_gradient    dx = ([dx +] dy W^T) o f'  A = dy    B = W^T
//     heads_data_gradient     dx = (dy W^T + dy2 W2^T) o f'    two such products, half of the warps each
//     activation_gradient     dx = dy o f'                     no product
//     affine_weight_gradient  dW += x^T dy               A = x^T   B = dy      db: A has one more row, all 1
//     matmul                  out (+)= a b
//
// The floor. A layer of 784 -> 128 at batch 100 is 10 M multiply-adds and 0.8 MB, which an H100 does in 0.3 us; what takes time is the way
// from the second-level cache to the few multiprocessors that have a tile, and the chain of K additions. So there are many small tiles,
// 16 x 16, each made by one block whose warps share the K products: a warp brings DEPTH of them (a stage) into its own part of shared
// memory, and while it multiplies them the loads of its next stage are under way in registers; it waits for no other warp until all are
// done. Then their sums are added. Tiles of 128 x 64 (double: 64 x 64) read four to six times less a multiply-add, of which large outputs
// are made: there the 256 threads of a block are one group, and K is not shared.
//
// Loads are coalesced whichever way an operand lies in memory. An element's sum has one order, given by the sizes alone: the stages of each
// group in turn, then the groups.
#include "npae.cuh"

constexpr int QUAD = 16 / sizeof(REAL);  // numbers in 16 bytes
constexpr int AHEAD = 2;                 // elements of a thread whose surroundings are read before the products

struct alignas(16) Quad { REAL of[QUAD]; };

// GROUP threads make a tile of M x N, each of them ROWS x COLUMNS elements, DEPTH of the K products at a time.
struct Small {
  static constexpr int GROUP = 32, M = 16, N = 16, ROWS = 2, COLUMNS = 4, DEPTH = 128 / sizeof(REAL);
};
struct Large {
  static constexpr int GROUP = 256, M = 512 / sizeof(REAL), N = 64, ROWS = 32 / sizeof(REAL), COLUMNS = 4, DEPTH = 64 / sizeof(REAL);
};

template <class Tile>
__device__ __forceinline__ void wait_for_group() {
  if (Tile::GROUP == WARP) __syncwarp();
  else __syncthreads();
}

// R rows of an operand, a stage of them: from memory into registers, and from there into shared memory as [DEPTH][STRIDE].
// ALONG_K: row r holds its K numbers side by side; otherwise the rows' numbers of one k lie side by side. ONES: row `rows` is all 1.
__device__ const REAL ONE = 1;

template <int GROUP, int R, int DEPTH, bool ALONG_K, bool ONES>
struct Operand {
  static constexpr int EACH = R * DEPTH / GROUP, STRIDE = ALONG_K ? R + QUAD : R;  // the padding: stores without bank conflicts
  static constexpr int APART = ALONG_K ? 1 : GROUP / R;                            // rows, or k, from one load of a thread to its next
  const REAL* at;
  i64 rows, K, r;  // the thread's first row
  int t;
  REAL held[EACH];

  __device__ __forceinline__ Operand(const REAL* at, i64 rows, i64 K, i64 r0, int t)
      : at(at), rows(rows), K(K), r(r0 + (ALONG_K ? t / DEPTH * EACH : t % R)), t(t) {}

  __device__ __forceinline__ void load(i64 k0) {
    const i64 k = k0 + (ALONG_K ? t % DEPTH : t / R), there = ALONG_K ? rows - r : (K - k + APART - 1) / APART;
    const bool ones = ONES && r == rows, any = (r < rows || ones) && k < K;
    const int count = !any ? 0 : there < EACH ? int(there) : EACH;
    const REAL* from = ones ? &ONE : ALONG_K ? at + r * K + k : at + k * rows + r;
    const i64 step = ones ? 0 : ALONG_K ? K : APART * rows;
    if (count == EACH) {
#pragma unroll
      for (int i = 0; i < EACH; ++i, from += step) held[i] = *from;
    } else {
#pragma unroll
      for (int i = 0; i < EACH; ++i, from += step) held[i] = i < count ? *from : REAL(0);
    }
  }

  __device__ __forceinline__ void store(REAL* stage) const {
    if (ALONG_K) {
      Quad* to = reinterpret_cast<Quad*>(stage + t % DEPTH * STRIDE + t / DEPTH * EACH);
#pragma unroll
      for (int i = 0; i < EACH; i += QUAD, ++to) {
#pragma unroll
        for (int q = 0; q < QUAD; ++q) to->of[q] = held[i + q];
      }
    } else {
      REAL* to = stage + t / R * STRIDE + t % R;
#pragma unroll
      for (int i = 0; i < EACH; ++i) to[i * APART * STRIDE] = held[i];
    }
  }
};

// N numbers side by side in shared memory, 16 bytes (or all of them) at a time.
template <int N>
__device__ __forceinline__ void fetch(const REAL* from, REAL (&into)[N]) {
  constexpr int STEP = N < QUAD ? N : QUAD;
  struct alignas(STEP * sizeof(REAL)) Some { REAL of[STEP]; };
#pragma unroll
  for (int i = 0; i < N; i += STEP) {
    const Some some = *reinterpret_cast<const Some*>(from + i);
#pragma unroll
    for (int q = 0; q < STEP; ++q) into[i + q] = some.of[q];
  }
}

// What is multiplied: A (M, K) and B (K, N).
struct Pair {
  const REAL *__restrict__ a, *__restrict__ b;
  i64 K;
};

// C = A B for this block's tile: finish.write(m, n, sum over k of A(m, k) B(k, n), finish.read(m, n)) for each of its elements,
// neighbouring threads at neighbouring n. A has `rows` rows in memory, and one more of ones where ONES says so. With a second pair the
// groups of odd number make its product, the others that of the first, and C is the sum of both.
template <class Tile, bool A_ALONG_K, bool B_ALONG_K, bool ONES, bool TWO = false, class Finish>
__device__ __forceinline__ void product(
    const Pair& first, i64 rows, i64 N, Finish finish, const Pair& second = {}, u32 tile = blockIdx.x) {
  constexpr int DEPTH = Tile::DEPTH, STAGE = DEPTH * (Tile::M + Tile::N + 2 * QUAD), TILE = Tile::M * Tile::N;
  constexpr int ROOM = STAGE > TILE ? STAGE : TILE;  // of a group in shared memory: its stage, and at the end its sums
  using A = Operand<Tile::GROUP, Tile::M, DEPTH, A_ALONG_K, ONES>;
  using B = Operand<Tile::GROUP, Tile::N, DEPTH, B_ALONG_K, false>;
  extern __shared__ Quad shared_memory[];
  REAL* const memory = reinterpret_cast<REAL*>(shared_memory);
  const u32 across = u32((N + Tile::N - 1) / Tile::N);
  const i64 m0 = i64(tile / across) * Tile::M, n0 = i64(tile % across) * Tile::N, M = rows + ONES;
  const int t = threadIdx.x % Tile::GROUP, group = threadIdx.x / Tile::GROUP, groups = blockDim.x / Tile::GROUP;
  const int row = t / (Tile::N / Tile::COLUMNS) * Tile::ROWS, column = t % (Tile::N / Tile::COLUMNS) * Tile::COLUMNS;
  REAL *const stage_a = memory + group * ROOM, *const stage_b = stage_a + DEPTH * A::STRIDE;

  const Pair pair = TWO && group % 2 ? second : first;
  const i64 K = pair.K, step = i64(groups) / (TWO ? 2 : 1) * DEPTH;
  A of_a(pair.a, rows, K, m0, t);
  B of_b(pair.b, N, K, n0, t);
  i64 k0 = i64(group) / (TWO ? 2 : 1) * DEPTH;
  of_a.load(k0);
  of_b.load(k0);
  REAL around[AHEAD];
#pragma unroll
  for (int i = 0; i < AHEAD; ++i) {
    const int e = threadIdx.x + i * blockDim.x;
    const i64 m = m0 + e / Tile::N, n = n0 + e % Tile::N;
    around[i] = e < TILE && m < M && n < N ? finish.read(m, n) : REAL(0);
  }

  REAL sum[Tile::ROWS][Tile::COLUMNS] = {};
  while (k0 < K) {
    of_a.store(stage_a);
    of_b.store(stage_b);
    wait_for_group<Tile>();
    const int depth = K - k0 < DEPTH ? int(K - k0) : DEPTH;
    k0 += step;
    if (k0 < K) {
      of_a.load(k0);
      of_b.load(k0);
    }
    for (int first = 0; first < depth; first += 8) {  // what a stage has beyond K is 0
#pragma unroll
      for (int k = first; k < first + 8; ++k) {
        REAL u[Tile::ROWS], v[Tile::COLUMNS];
        fetch(stage_a + k * A::STRIDE + row, u);
        fetch(stage_b + k * B::STRIDE + column, v);
#pragma unroll
        for (int i = 0; i < Tile::ROWS; ++i)
#pragma unroll
          for (int j = 0; j < Tile::COLUMNS; ++j) sum[i][j] += u[i] * v[j];
      }
    }
    wait_for_group<Tile>();
  }

#pragma unroll
  for (int i = 0; i < Tile::ROWS; ++i)
#pragma unroll
    for (int j = 0; j < Tile::COLUMNS; ++j) stage_a[(row + i) * Tile::N + column + j] = sum[i][j];
  __syncthreads();
#pragma unroll 1
  for (int e = threadIdx.x, i = 0; e < TILE; e += blockDim.x, ++i) {
    const i64 m = m0 + e / Tile::N, n = n0 + e % Tile::N;
    if (m >= M || n >= N) continue;
    REAL total = memory[e];
    for (int g = 1; g < groups; ++g) total += memory[g * ROOM + e];
    finish.write(m, n, total, i == 0 ? around[0] : i == 1 ? around[1] : finish.read(m, n));
  }
}

enum Activation { LINEAR, LEAKY_RELU, RELU, SIGMOID, TANH, ELU, SOFTPLUS };  // as step/codes.py

// y = f(x)        A NaN fails every comparison, and must come out as one.
__device__ __forceinline__ REAL activated(i64 f, REAL parameter, REAL x) {
  switch (f) {
    case LEAKY_RELU: return x >= 0 ? x : parameter * x;
    case RELU: return x <= 0 ? REAL(0) : x;
    case TANH: return tanh(x);
    case SIGMOID: return (REAL(1) + tanh(REAL(0.5) * x)) * REAL(0.5);
    case ELU: return x > 0 ? x : expm1(x);
    case SOFTPLUS: return parameter + ((x > 0 ? x : REAL(0)) + log1p(exp(-fabs(x))));
    default: return x;
  }
}

// d f'(x), from y = f(x)
__device__ __forceinline__ REAL by_slope(i64 f, REAL parameter, REAL y, REAL d) {
  switch (f) {
    case LINEAR: return d;
    case LEAKY_RELU: return y >= 0 ? d : parameter * d;
    case RELU: return y > 0 ? d : REAL(0) * d;
    case TANH: return d * (REAL(1) - y * y);
    case SIGMOID: return d * (y * (REAL(1) - y));
    case ELU: return y > 0 ? d : d * (y + REAL(1));
    default: return d * -expm1(parameter - y);  // softplus
  }
}

struct Activate {
  const REAL* b;
  i64 f;
  REAL parameter;
  REAL* y;
  i64 N;
  __device__ __forceinline__ REAL read(i64, i64 n) const { return b[n]; }
  __device__ __forceinline__ void write(i64 m, i64 n, REAL sum, REAL bias) const { y[m * N + n] = activated(f, parameter, sum + bias); }
};

struct TimesSlope {
  i64 f;
  REAL parameter;
  const REAL* y;
  REAL* dx;
  bool accumulate;
  i64 N;
  __device__ __forceinline__ REAL read(i64 m, i64 n) const { return f == LINEAR ? REAL(0) : y[m * N + n]; }
  __device__ __forceinline__ void write(i64 m, i64 n, REAL sum, REAL output) const {
    REAL* const at = dx + m * N + n;
    const REAL total = accumulate ? *at + sum : sum;
    *at = by_slope(f, parameter, output, total);
  }
};

struct AddToBoth {
  REAL *dW, *db;
  i64 rows, N;
  __device__ __forceinline__ REAL* at(i64 m, i64 n) const { return m < rows ? dW + m * N + n : db + n; }
  __device__ __forceinline__ REAL read(i64 m, i64 n) const { return *at(m, n); }
  __device__ __forceinline__ void write(i64 m, i64 n, REAL sum, REAL before) const { *at(m, n) = before + sum; }
};

struct Store {
  REAL* out;
  i64 N;
  bool accumulate;
  __device__ __forceinline__ REAL read(i64 m, i64 n) const { return accumulate ? out[m * N + n] : REAL(0); }
  __device__ __forceinline__ void write(i64 m, i64 n, REAL sum, REAL before) const { out[m * N + n] = accumulate ? before + sum : sum; }
};

template <class Tile>
__device__ __forceinline__ void product_as_laid_out(
    const REAL* a, const REAL* b, i64 M, i64 N, i64 K, bool a_by_columns, bool b_by_columns, Store store) {
  const Pair pair = {a, b, K};
  if (a_by_columns && b_by_columns) product<Tile, false, true, false>(pair, M, N, store);
  else if (a_by_columns) product<Tile, false, false, false>(pair, M, N, store);
  else if (b_by_columns) product<Tile, true, true, false>(pair, M, N, store);
  else product<Tile, true, false, false>(pair, M, N, store);
}

// The bounds give a thread at most 128 registers.
extern "C" __global__ void affine(
    const REAL* x, const REAL* W, const REAL* b, i64 f, double parameter, REAL* y, i64 batch, i64 n_out, i64 n_in) {
  product<Small, true, false, false>({x, W, n_in}, batch, n_out, Activate{b, f, REAL(parameter), y, n_out});
}
extern "C" __global__ void __launch_bounds__(256, 2) affine_large(
    const REAL* x, const REAL* W, const REAL* b, i64 f, double parameter, REAL* y, i64 batch, i64 n_out, i64 n_in) {
  product<Large, true, false, false>({x, W, n_in}, batch, n_out, Activate{b, f, REAL(parameter), y, n_out});
}

// `tiles` of the first head, then those of the second.
extern "C" __global__ void heads(
    const REAL* x, const REAL* W, const REAL* b, REAL* y, i64 n_out, const REAL* W2, const REAL* b2, REAL* y2, i64 n_out2, i64 batch,
    i64 n_in, i64 tiles) {
  const bool second = blockIdx.x >= tiles;
  const i64 N = second ? n_out2 : n_out;
  const Activate finish = {second ? b2 : b, LINEAR, REAL(0), second ? y2 : y, N};
  product<Small, true, false, false>({x, second ? W2 : W, n_in}, batch, N, finish, {}, blockIdx.x - (second ? u32(tiles) : 0));
}

extern "C" __global__ void affine_data_gradient(
    const REAL* dy, const REAL* W, i64 f, double parameter, const REAL* y, REAL* dx, i64 accumulate, i64 batch, i64 n_in, i64 n_out) {
  product<Small, true, true, false>({dy, W, n_out}, batch, n_in, TimesSlope{f, REAL(parameter), y, dx, accumulate != 0, n_in});
}
extern "C" __global__ void __launch_bounds__(256, 2) affine_data_gradient_large(
    const REAL* dy, const REAL* W, i64 f, double parameter, const REAL* y, REAL* dx, i64 accumulate, i64 batch, i64 n_in, i64 n_out) {
  product<Large, true, true, false>({dy, W, n_out}, batch, n_in, TimesSlope{f, REAL(parameter), y, dx, accumulate != 0, n_in});
}

extern "C" __global__ void __launch_bounds__(256) heads_data_gradient(
    const REAL* dy, const REAL* W, i64 n_out, const REAL* dy2, const REAL* W2, i64 n_out2, i64 f, double parameter, const REAL* y, REAL* dx,
    i64 batch, i64 n_in) {
  const TimesSlope finish = {f, REAL(parameter), y, dx, false, n_in};
  product<Small, true, true, false, true>({dy, W, n_out}, batch, n_in, finish, {dy2, W2, n_out2});
}

extern "C" __global__ void activation_gradient(const REAL* dy, i64 f, double parameter, const REAL* y, REAL* dx, i64 n) {
  const bool whole = packs_are_whole(0, dy, y, dx);
  const i64 i = (blockIdx.x * i64(blockDim.x) + threadIdx.x) * PACK;
  Pack gradient = take(dy, i, n, whole);
  const Pack output = take(y, i, n, whole);
#pragma unroll
  for (int k = 0; k < PACK; ++k) gradient.at[k] = by_slope(f, REAL(parameter), output.at[k], gradient.at[k]);
  put(dx, i, n, whole, gradient);
}

extern "C" __global__ void affine_weight_gradient(
    const REAL* x, const REAL* dy, REAL* dW, REAL* db, i64 n_in, i64 n_out, i64 batch) {
  product<Small, false, false, true>({x, dy, batch}, n_in, n_out, AddToBoth{dW, db, n_in, n_out});
}
extern "C" __global__ void __launch_bounds__(256, 2) affine_weight_gradient_large(
    const REAL* x, const REAL* dy, REAL* dW, REAL* db, i64 n_in, i64 n_out, i64 batch) {
  product<Large, false, false, true>({x, dy, batch}, n_in, n_out, AddToBoth{dW, db, n_in, n_out});
}

extern "C" __global__ void __launch_bounds__(512) matmul(
    const REAL* a, const REAL* b, REAL* out, i64 M, i64 N, i64 K, i64 a_by_columns, i64 b_by_columns, i64 accumulate) {
  product_as_laid_out<Small>(a, b, M, N, K, a_by_columns != 0, b_by_columns != 0, Store{out, N, accumulate != 0});
}
extern "C" __global__ void __launch_bounds__(256, 2) matmul_large(
    const REAL* a, const REAL* b, REAL* out, i64 M, i64 N, i64 K, i64 a_by_columns, i64 b_by_columns, i64 accumulate) {
  product_as_laid_out<Large>(a, b, M, N, K, a_by_columns != 0, b_by_columns != 0, Store{out, N, accumulate != 0});
}
