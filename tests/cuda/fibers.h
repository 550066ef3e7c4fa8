// Switching between stacks: `Stack` is where a thread of execution was left off.
//
//   prepare(to, memory, bytes, body)     the first switch to it calls body(), which must never return
//   change(from, to)                     leave this one in `from`, go on with `to`
//
// On x86-64 six registers are kept by hand, because ucontext asks the kernel for the signal mask at every switch, which costs ten times as much
// as the switch. Elsewhere, and under AddressSanitizer, which knows about ucontext, it is ucontext.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

namespace on_cpu {

using Stack = void*;

extern "C" __attribute__((visibility("hidden"))) void on_cpu_change(void** from, void* to);
asm(R"(
  .text
  .p2align 4
  .hidden on_cpu_change
  .globl on_cpu_change
  .type on_cpu_change, @function
on_cpu_change:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size on_cpu_change, . - on_cpu_change
)");

inline void change(Stack& from, Stack& to) { on_cpu_change(&from, to); }

inline void prepare(Stack& to, char* memory, size_t bytes, void (*body)()) {
  void** top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(memory) + bytes) & ~uintptr_t(15));
  top[-2] = reinterpret_cast<void*>(body);  // where `ret` goes; the stack is then as after a call
  for (int kept = 3; kept <= 8; ++kept) top[-kept] = nullptr;
  to = top - 8;
}

}  // namespace on_cpu

#else

#include <ucontext.h>

namespace on_cpu {

using Stack = ucontext_t;

inline void change(Stack& from, Stack& to) { swapcontext(&from, &to); }

inline void prepare(Stack& to, char* memory, size_t bytes, void (*body)()) {
  getcontext(&to);
  to.uc_stack.ss_sp = memory;
  to.uc_stack.ss_size = bytes;
  to.uc_link = nullptr;
  makecontext(&to, body, 0);
}

}  // namespace on_cpu

#endif
