// deviation = sigma eps        z = mu + deviation        sigma = scale exp(exponent s), or scale s where exponent is 0
// dmu (+)= dz                  ds (+)= factor dz by      all arrays (B, Z), n = B Z
//
// Floor: three arrays read and two written, two read and two written; at (100, 8) the wait for memory, once. A thread has 16 bytes of each
// array in flight before it computes, and nothing loops: the grid covers n.
#include "npae.cuh"

__device__ __forceinline__ i64 first_of_thread() { return (blockIdx.x * i64(blockDim.x) + threadIdx.x) * PACK; }

extern "C" __global__ void reparameterise(
    const REAL* mu, const REAL* s, const REAL* eps, double exponent, double scale, REAL* deviation, REAL* z, i64 n) {
  const bool whole = packs_are_whole(0, mu, s, eps, deviation, z);
  const i64 i = first_of_thread();
  const Pack of_mu = take(mu, i, n, whole), of_s = take(s, i, n, whole), of_eps = take(eps, i, n, whole);
  const REAL power = REAL(exponent), c = REAL(scale);
  Pack moved, drawn;
#pragma unroll
  for (int k = 0; k < PACK; ++k) {
    const REAL sigma = c * (power == REAL(0) ? of_s.at[k] : exp(power * of_s.at[k]));
    moved.at[k] = sigma * of_eps.at[k];
    drawn.at[k] = of_mu.at[k] + moved.at[k];
  }
  put(deviation, i, n, whole, moved);
  put(z, i, n, whole, drawn);
}

extern "C" __global__ void reparameterise_gradient(
    const REAL* dz, const REAL* by, double factor, i64 accumulate, REAL* dmu, REAL* ds, i64 n) {
  const bool whole = packs_are_whole(0, dz, by, dmu, ds);
  const i64 i = first_of_thread();
  const Pack of_dz = take(dz, i, n, whole), of_by = take(by, i, n, whole);
  Pack of_mu = {}, of_s = {};
  if (accumulate) {
    of_mu = take(dmu, i, n, whole);
    of_s = take(ds, i, n, whole);
  }
  const REAL f = REAL(factor);
#pragma unroll
  for (int k = 0; k < PACK; ++k) {
    of_mu.at[k] += of_dz.at[k];
    of_s.at[k] += f * of_dz.at[k] * of_by.at[k];
  }
  put(dmu, i, n, whole, of_mu);
  put(ds, i, n, whole, of_s);
}
