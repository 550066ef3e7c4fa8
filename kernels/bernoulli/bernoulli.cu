// Bernoulli negative log-likelihood and its gradient in one pass; the sum in float64, in a fixed order.        logits, p, x, gradients (B, F)
//
// Floor: two arrays read and one written; at (100, 784) the wait for memory, once: a thread takes 16 bytes of each array before it computes.
// One exp serves value and gradient: with t = exp(-|l|) and r = 1 / (1 + t), sigmoid(l) is r for l >= 0 and t r for l < 0.
#include "npae.cuh"

struct FromLogits {
  REAL factor;

  // value: max(l, 0) - l x + log1p(exp(-|l|))        gradient: sigmoid(l) - x
  __device__ __forceinline__ double operator()(REAL l, REAL x, REAL& gradient) const {
    const bool positive = l >= REAL(0);
    const REAL t = exp(-fabs(l)), r = REAL(1) / (REAL(1) + t);
    gradient = factor * ((positive ? r : t * r) - x);
    return double((positive ? l : REAL(0)) - l * x + log1p(t));
  }
};

struct FromProbabilities {
  REAL factor, low, high;

  // -value: x log q + (1 - x) log(1 - q), q = p clipped        gradient: (q - x) / (q (1 - q)), 0 at the clip
  __device__ __forceinline__ double operator()(REAL p, REAL x, REAL& gradient) const {
    const REAL raised = p < low ? low : p, q = raised > high ? high : raised, rest = REAL(1) - q;
    const REAL hidden = REAL(0) * p;  // 0, or NaN where p is infinite and the clip would hide it
    gradient = low < p && p < high ? factor * ((q - x) / (q * rest)) : REAL(0);
    return double(x * log(q) + (REAL(1) - x) * log1p(-q) + hidden);
  }
};

template <class Form>
__device__ __forceinline__ void bernoulli(
    const Form& form, const REAL* y, const REAL* x, REAL* dy, i64 n, double scale, double* partials, u32* ticket, double* value) {
  const bool whole = packs_are_whole(0, y, x, dy);
  const i64 step = i64(gridDim.x) * blockDim.x * PACK;
  double total = 0.0;
  for (i64 i = (blockIdx.x * i64(blockDim.x) + threadIdx.x) * PACK; i < n; i += step) {
    const Pack of_y = take(y, i, n, whole), of_x = take(x, i, n, whole);
    Pack gradient;
#pragma unroll
    for (int k = 0; k < PACK; ++k) {
      const double term = form(of_y.at[k], of_x.at[k], gradient.at[k]);
      if (i + k < n) total += term;
    }
    put(dy, i, n, whole, gradient);
  }
  grid_sum(total, scale, partials, ticket, value);
}

extern "C" __global__ void __launch_bounds__(256) bernoulli_logits(
    const REAL* logits, const REAL* x, double scale, REAL* dlogits, i64 n, double* partials, u32* ticket, double* value) {
  bernoulli(FromLogits{REAL(scale)}, logits, x, dlogits, n, scale, partials, ticket, value);
}

extern "C" __global__ void __launch_bounds__(256) bernoulli_probabilities(
    const REAL* p, const REAL* x, double clip, double scale, REAL* dp, i64 n, double* partials, u32* ticket, double* value) {
  bernoulli(FromProbabilities{REAL(scale), REAL(clip), REAL(1.0 - clip)}, p, x, dp, n, -scale, partials, ticket, value);
}
