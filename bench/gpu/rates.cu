// What bench/gpu/rates.py times beside copies and products.

// Four chains a thread, so that none waits for itself: exp(x - 1) of a number in [0, 1) stays there.
extern "C" __global__ void exponentials(float* out, int sweeps) {
  float a = 1e-3f * threadIdx.x, b = 0.5f * a, c = 0.25f * a, d = 0.125f * a;
#pragma unroll 8
  for (int s = 0; s < sweeps; ++s) {
    a = __expf(a - 1.0f);
    b = __expf(b - 1.0f);
    c = __expf(c - 1.0f);
    d = __expf(d - 1.0f);
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = a + b + c + d;
}

extern "C" __global__ void nothing() {}
