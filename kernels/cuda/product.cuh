// C = A B for tiles of C: the loads, the stages in shared memory, the sums. What is done with an element is the caller's (`Finish`).
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
#pragma once

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
