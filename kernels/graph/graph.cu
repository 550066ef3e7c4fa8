// What a captured training step does besides the model: its rows and numbers, whether its gradient may be used, its line of the log.
//
//   begin_step       rows = order[k B ...], x = data[rows]
//   gather           out = data[rows]
//   check_gradient   *gradient_scale = min(1, clip_norm / norm), or NaN, and then *bad = 1; and end_step, where there is something to end
//   end_step         log[k] = the numbers that lie at some addresses, coefficients = table[k], t += 1, k += 1
//
// counters = (t, k). A step of a small model is bound by the number of launches one after another, hence begin_step copies the batch too,
// and the last block of check_gradient ends the step: what moves the parameters and what begins the next step may then go side by side. The floors: a batch read and written once, the gradient read once. Rows are copied
// 16 bytes a thread where they are aligned, neighbours side by side; otherwise 8 or 4. Addresses come by value: a graph keeps them.
#include "npae.cuh"

constexpr int MOST_NUMBERS = 32;

struct Numbers { const double* at[MOST_NUMBERS]; };

__device__ __forceinline__ i64 first_of_thread() { return blockIdx.x * i64(blockDim.x) + threadIdx.x; }
__device__ __forceinline__ i64 threads_of_grid() { return i64(gridDim.x) * blockDim.x; }

// to (count, bytes) = from[rows], in parts of sizeof(Part)
template <class Part>
__device__ __forceinline__ void copy_parts(const void* from, const i64* rows, void* to, i64 count, i64 bytes) {
  const i64 parts = bytes / i64(sizeof(Part));
  for (i64 i = first_of_thread(); i < count * parts; i += threads_of_grid()) {
    const i64 b = i / parts;
    static_cast<Part*>(to)[i] = static_cast<const Part*>(from)[rows[b] * parts + (i - b * parts)];
  }
}

__device__ __forceinline__ void copy_rows(const void* from, const i64* rows, void* to, i64 count, i64 bytes) {
  const u64 every = u64(from) | u64(to) | u64(bytes);
  if (every % 16 == 0) copy_parts<uint4>(from, rows, to, count, bytes);
  else if (every % 8 == 0) copy_parts<u64>(from, rows, to, count, bytes);
  else copy_parts<u32>(from, rows, to, count, bytes);
}

extern "C" __global__ void gather(const void* data, const i64* rows, void* out, i64 count, i64 bytes) {
  copy_rows(data, rows, out, count, bytes);
}

extern "C" __global__ void begin_step(
    const i64* counters, const i64* order, i64* rows, i64 count, const void* data, void* x, i64 bytes) {
  const i64* of_step = order + counters[1] * count;
  for (i64 i = first_of_thread(); i < count; i += threads_of_grid()) rows[i] = of_step[i];
  copy_rows(data, of_step, x, count, bytes);
}

// By one block, all of it.
__device__ __forceinline__ void end_by_block(
    const Numbers& numbers, i64 count, double* log, i64* counters, const double* table, double* coefficients, i64 columns) {
  const i64 k = counters[1];
  __syncthreads();  // k has been read by all
  if (threadIdx.x < count) log[k * count + threadIdx.x] = *numbers.at[threadIdx.x];
  if (threadIdx.x < columns) coefficients[threadIdx.x] = table[k * columns + threadIdx.x];
  if (threadIdx.x == 0) {
    counters[0] += 1;
    counters[1] = k + 1;
  }
}

extern "C" __global__ void end_step(
    Numbers numbers, i64 count, double* log, i64* counters, const double* table, double* coefficients, i64 columns, const u32* bad) {
  if (!*bad) end_by_block(numbers, count, log, counters, table, coefficients, columns);
}

// The sum over the grid is the squared norm of the gradient where it is clipped, and 0 where it is not; NaN where the step may not be made.
extern "C" __global__ void check_gradient(
    const REAL* grad, i64 n, Numbers finite, i64 n_finite, double clip_norm, double* partials, u32* ticket, u32* bad,
    double* gradient_scale, Numbers numbers, i64 count, double* log, i64* counters, const double* table, double* coefficients,
    i64 columns) {
  const double nan = __longlong_as_double(0x7ff8000000000000ll);
  const bool clipped = !isinf(clip_norm);
  double v = 0.0, squared;
  for (i64 i = first_of_thread(); i < n; i += threads_of_grid()) {
    const REAL g = grad[i];
    if (clipped) v += double(g) * double(g);
    else if (!isfinite(g * g)) v = nan;  // Adam keeps the square in v
  }
  if (first_of_thread() < n_finite && !isfinite(*finite.at[first_of_thread()])) v = nan;
  if (!grid_total(v, partials, ticket, &squared)) return;
  const bool usable = isfinite(squared) && !*bad;
  if (threadIdx.x == 0) {
    if (!usable) *bad = 1;  // who reads it only now has a sum that is not finite, or read the same
    const double norm = sqrt(squared);
    *gradient_scale = !usable ? nan : clipped && norm > clip_norm ? clip_norm / norm : 1.0;
  }
  if (usable && counters) end_by_block(numbers, count, log, counters, table, coefficients, columns);
}
