// g = gradient_scale grad        m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2        theta, grad, m, v (P,)
// theta -= alpha m / (sqrt(v) root_scale + epsilon)
//
// Floor: 16 bytes read and 12 written for a float32 parameter (double: twice that); the arithmetic hides behind them. So a thread has one
// pack of each of the four arrays in flight, its loads wait neither for each other nor for the device numbers, and nothing loops: the grid
// covers P. `lead` elements come before the first multiple of 16 bytes; the packs start there where all four arrays are aligned alike.
#include "npae.cuh"

extern "C" __global__ void __launch_bounds__(256, 4) adam(
    REAL* theta, const REAL* grad, REAL* m, REAL* v, i64 n, double beta1, double beta2, double epsilon,
    const double* alpha_at, double alpha_value, const double* root_at, double root_value, const double* scale_at, double scale_value) {
  const int past = int(u64(theta) / sizeof(REAL) % PACK);
  const bool whole = packs_are_whole(-past, theta, grad, m, v);
  const i64 i = (blockIdx.x * i64(blockDim.x) + threadIdx.x) * PACK - (whole ? past : 0);
  Pack w = take(theta, i, n, whole), moment = take(m, i, n, whole), square = take(v, i, n, whole);
  const Pack gradient = take(grad, i, n, whole);
  const double gradient_scale = read(scale_at, scale_value);
  if (isnan(gradient_scale)) return;  // the step is called off

  const REAL rate = REAL(read(alpha_at, alpha_value)), root = REAL(read(root_at, root_value)), scale = REAL(gradient_scale);
  const REAL keep1 = REAL(beta1), keep2 = REAL(beta2), take1 = REAL(1.0 - beta1), take2 = REAL(1.0 - beta2), floor = REAL(epsilon);
#pragma unroll
  for (int k = 0; k < PACK; ++k) {
    const REAL g = scale * gradient.at[k];
    moment.at[k] = keep1 * moment.at[k] + take1 * g;
    square.at[k] = keep2 * square.at[k] + take2 * (g * g);
    w.at[k] -= rate * moment.at[k] / (sqrt(square.at[k]) * root + floor);
  }
  put(m, i, n, whole, moment);
  put(v, i, n, whole, square);
  put(theta, i, n, whole, w);
}
