// value = scale sum (y - x)^2        dy = 2 scale (y - x)        one pass; the sum in float64, in a fixed order
#include "npae.cuh"

extern "C" __global__ void squared_error(
    const REAL* y, const REAL* x, const double* scale_at, double scale_value, REAL* dy, i64 n, double* partials, u32* ticket, double* value) {
  const double scale = read(scale_at, scale_value);
  const REAL factor = REAL(2.0 * scale);
  double total = 0.0;
  for (i64 i = blockIdx.x * i64(blockDim.x) + threadIdx.x; i < n; i += i64(gridDim.x) * blockDim.x) {
    const REAL error = y[i] - x[i];
    total += double(error) * double(error);
    dy[i] = factor * error;
  }
  grid_sum(total, scale, partials, ticket, value);
}
