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
// How the tiles are made, and what that costs: product.cuh.
#include "npae.cuh"
#include "product.cuh"

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
