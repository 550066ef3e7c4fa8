// CUDA C++ on one CPU thread: blocks run one after another, each CUDA thread of a block is a fiber that runs until a barrier.
//
// The order in which fibers run is chosen by the launch: 0 as numbered, all to the next barrier; 1 backwards, each warp as far as it can before
// the next one; 2 shuffled with a seed, in both ways by turns. A kernel that needs a barrier it does not have gives other numbers in another
// order; one whose threads wait at different barriers is aborted.
// Shared memory starts as 0xFF bytes in every block. Not expressible here: races between blocks, inline PTX, tensor cores, cp.async,
// cooperative launches.
#pragma once
#include <math.h>  // exp(float) and its kind in the global namespace, as CUDA has them
#include "fibers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __shared__ static
#define __restrict__ __restrict

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) double2 { double x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace on_cpu {

constexpr size_t STACK = 64 * 1024;
constexpr unsigned LANES = 32, MOST_THREADS = 1024;

enum class State { ready, at_block_barrier, at_warp_barrier, done };

struct Fiber {
  Stack stack;
  uint3 thread;
  unsigned number;
  State state;
  unsigned lanes;  // that its warp barrier waits for
};

inline std::vector<Fiber> fibers;
inline Fiber* running = nullptr;
inline Stack scheduler;
inline uint3 block_number;
inline dim3 block_size, grid_size;
inline unsigned char* dynamic_shared = nullptr;
inline unsigned long blocks_begun = 0;
inline void (*kernel)(void*);
inline void* kernel_arguments;
inline uint64_t exchanged[MOST_THREADS];  // what each thread shows to its warp

inline void wait(State state, unsigned lanes = 0) {
  running->state = state;
  running->lanes = lanes;
  change(running->stack, scheduler);
}

inline void body() {
  kernel(kernel_arguments);
  wait(State::done);
}

inline void begin(Fiber& fiber, unsigned number, char* stack) {
  fiber.number = number;
  fiber.state = State::ready;
  fiber.thread = {number % block_size.x, number / block_size.x % block_size.y, number / (block_size.x * block_size.y)};
  prepare(fiber.stack, stack, STACK, body);
}

// Fills a shared array when the first thread of a block comes to it.
inline void begin_shared(void* at, size_t bytes, unsigned long& of_block) {
  if (of_block == blocks_begun) return;
  of_block = blocks_begun;
  std::memset(at, 0xFF, bytes);
}

// Lets a warp go on if all lanes that it waits for have arrived or ended; whether it did.
inline bool release_warp(size_t first) {
  const size_t end = std::min(fibers.size(), first + LANES);
  unsigned awaited = 0, there = 0;
  for (size_t i = first; i < first + LANES; ++i) {
    const unsigned lane = 1u << (i - first);
    if (i >= end || fibers[i].state == State::done) there |= lane;
    else if (fibers[i].state == State::at_warp_barrier) { there |= lane; awaited |= fibers[i].lanes; }
  }
  if (!awaited || (awaited & ~there)) return false;
  for (size_t i = first; i < end; ++i)
    if (fibers[i].state == State::at_warp_barrier) fibers[i].state = State::ready;
  return true;
}

// To its next barrier; whether it was ready.
inline bool run(Fiber& fiber) {
  if (fiber.state != State::ready) return false;
  running = &fiber;
  change(scheduler, fiber.stack);
  return true;
}

// All threads in turn to their next barrier, of the warp or of the block; whether any did.
inline bool side_by_side(const std::vector<unsigned>& turn) {
  bool moved = false;
  for (unsigned thread : turn) moved |= run(fibers[thread]);
  for (size_t first = 0; first < fibers.size(); first += LANES) moved |= release_warp(first);
  return moved;
}

// One warp after another, each as far as the block's next barrier, its lanes from `lane` on; whether any did.
inline bool warp_by_warp(const std::vector<unsigned>& turn, unsigned lane) {
  bool moved = false;
  for (unsigned thread : turn) {
    if (thread % LANES) continue;
    for (bool on = true; on; moved |= on) {
      on = false;
      for (unsigned k = 0; k < LANES; ++k)
        if (const unsigned i = thread + (lane + LANES - k) % LANES; i < fibers.size()) on |= run(fibers[i]);
      on |= release_warp(thread);
    }
  }
  return moved;
}

inline void run_block(int order, std::mt19937& shuffler, std::vector<unsigned>& turn, char* stacks) {
  const unsigned n = unsigned(fibers.size());
  for (unsigned i = 0; i < n; ++i) begin(fibers[i], i, stacks + i * STACK);
  for (;;) {
    if (order == 2) std::shuffle(turn.begin(), turn.end(), shuffler);
    const bool apart = order == 1 || (order == 2 && shuffler() % 2);
    const bool moved = apart ? warp_by_warp(turn, order == 1 ? LANES - 1 : shuffler() % LANES) : side_by_side(turn);
    unsigned done = 0, waiting = 0;
    for (const Fiber& fiber : fibers) {
      done += fiber.state == State::done;
      waiting += fiber.state == State::at_block_barrier;
    }
    if (done == n) return;
    if (waiting && waiting + done == n) {
      for (Fiber& fiber : fibers)
        if (fiber.state == State::at_block_barrier) fiber.state = State::ready;
    } else if (!moved) {
      std::fprintf(stderr, "cuda_on_cpu: threads of block (%u, %u, %u) wait at different barriers\n", block_number.x, block_number.y, block_number.z);
      std::abort();
    }
  }
}

// Memory for the stacks of a block, kept for the next launch; fresh under AddressSanitizer, which keeps the marks of frames that never return.
inline char* stacks_for(unsigned threads) {
  static std::unique_ptr<char[]> stacks;
  static unsigned most = 0;
#ifdef __SANITIZE_ADDRESS__
  most = 0;
#endif
  if (threads > most) stacks.reset(new char[(most = threads) * STACK]);
  return stacks.get();
}

inline void launch(dim3 grid, dim3 block, size_t shared, int order, unsigned seed, void (*function)(void*), void* arguments) {
  const unsigned n = block.x * block.y * block.z;
  grid_size = grid;
  block_size = block;
  kernel = function;
  kernel_arguments = arguments;
  fibers.resize(n);
  char* const stacks = stacks_for(n);
  std::vector<unsigned> turn(n);
  for (unsigned i = 0; i < n; ++i) turn[i] = order == 1 ? n - 1 - i : i;
  std::mt19937 shuffler(seed);
  std::vector<unsigned char> memory(shared);  // exactly as many bytes as were asked for: AddressSanitizer sees the next one
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        block_number = {x, y, z};
        std::fill(memory.begin(), memory.end(), 0xFF);
        dynamic_shared = memory.data();
        ++blocks_begun;
        run_block(order, shuffler, turn, stacks);
      }
}

template <class... A, size_t... I>
void unpack(void (*function)(A...), void** arguments, std::index_sequence<I...>) {
  function(*static_cast<std::remove_cv_t<A>*>(arguments[I])...);
}
template <class... A>
void call(void (*function)(A...), void** arguments) { unpack(function, arguments, std::index_sequence_for<A...>{}); }

// What lane `from` of the warp shows.
template <class T>
T shown_by(unsigned lanes, T mine, int from) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  const unsigned me = running->number;
  std::memcpy(&exchanged[me], &mine, sizeof(T));
  wait(State::at_warp_barrier, lanes);
  T theirs;
  std::memcpy(&theirs, &exchanged[me / LANES * LANES + from], sizeof(T));
  wait(State::at_warp_barrier, lanes);
  return theirs;
}
inline int lane() { return int(running->number % LANES); }

template <class To, class From>
To bits_of(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To bits;
  std::memcpy(&bits, &value, sizeof(To));
  return bits;
}

}  // namespace on_cpu

#define threadIdx (on_cpu::running->thread)
#define blockIdx (on_cpu::block_number)
#define blockDim (on_cpu::block_size)
#define gridDim (on_cpu::grid_size)
#define warpSize 32

inline void __syncthreads() { on_cpu::wait(on_cpu::State::at_block_barrier); }
inline void __syncwarp(unsigned lanes = ~0u) { on_cpu::wait(on_cpu::State::at_warp_barrier, lanes); }
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T> T __shfl_sync(unsigned lanes, T v, int source, int width = 32) {
  return on_cpu::shown_by(lanes, v, on_cpu::lane() / width * width + source % width);
}
template <class T> T __shfl_xor_sync(unsigned lanes, T v, int mask, int width = 32) {
  const int me = on_cpu::lane(), other = me ^ mask;
  return on_cpu::shown_by(lanes, v, other / width > me / width ? me : other);
}
template <class T> T __shfl_down_sync(unsigned lanes, T v, int by, int width = 32) {
  const int me = on_cpu::lane();
  return on_cpu::shown_by(lanes, v, me % width + by >= width ? me : me + by);
}
template <class T> T __shfl_up_sync(unsigned lanes, T v, int by, int width = 32) {
  const int me = on_cpu::lane();
  return on_cpu::shown_by(lanes, v, me % width < by ? me : me - by);
}
inline unsigned __ballot_sync(unsigned lanes, int predicate) {
  unsigned votes = 0;
  const unsigned me = on_cpu::running->number, first = me / 32 * 32;
  on_cpu::exchanged[me] = predicate != 0;
  on_cpu::wait(on_cpu::State::at_warp_barrier, lanes);
  for (unsigned k = 0; k < 32; ++k)
    if ((lanes >> k & 1) && first + k < on_cpu::fibers.size() && on_cpu::exchanged[first + k]) votes |= 1u << k;
  on_cpu::wait(on_cpu::State::at_warp_barrier, lanes);
  return votes;
}
inline int __any_sync(unsigned lanes, int predicate) { return __ballot_sync(lanes, predicate) != 0; }
inline int __all_sync(unsigned lanes, int predicate) { return !__ballot_sync(lanes, !predicate); }

template <class T> T atomicAdd(T* at, T v) { T old = *at; *at = old + v; return old; }
template <class T> T atomicMax(T* at, T v) { T old = *at; *at = std::max(old, v); return old; }
template <class T> T atomicMin(T* at, T v) { T old = *at; *at = std::min(old, v); return old; }
template <class T> T atomicOr(T* at, T v) { T old = *at; *at = old | v; return old; }
template <class T> T atomicExch(T* at, T v) { T old = *at; *at = v; return old; }
template <class T> T atomicCAS(T* at, T expected, T v) { T old = *at; if (old == expected) *at = v; return old; }
inline unsigned atomicInc(unsigned* at, unsigned most) { unsigned old = *at; *at = old >= most ? 0 : old + 1; return old; }

template <class T> T __ldg(const T* at) { return *at; }
template <class T> T __ldcg(const T* at) { return *at; }
inline float __fadd_rn(float a, float b) { return a + b; }  // compiled without contraction
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float sinpif(float x) { return float(std::sin(M_PI * double(x))); }
inline float cospif(float x) { return float(std::cos(M_PI * double(x))); }
inline void sincospi(double x, double* s, double* c) { *s = std::sin(M_PI * x); *c = std::cos(M_PI * x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline unsigned __float_as_uint(float v) { return on_cpu::bits_of<unsigned>(v); }
inline int __float_as_int(float v) { return on_cpu::bits_of<int>(v); }
inline float __uint_as_float(unsigned v) { return on_cpu::bits_of<float>(v); }
inline long long __double_as_longlong(double v) { return on_cpu::bits_of<long long>(v); }
inline double __longlong_as_double(long long v) { return on_cpu::bits_of<double>(v); }
using std::isfinite;
using std::isinf;
using std::isnan;
using std::max;
using std::min;
