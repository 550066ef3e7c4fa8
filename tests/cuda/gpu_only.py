"""What stand-ins on a CPU cannot show of CUDA kernels, and which test shows it on a GPU.

cuda_on_cpu.h runs blocks one after another and the threads of a block one at a time, so it cannot express races between blocks, memory that
one block sees late, inline PTX, tensor cores, cp.async and cooperative launches. The sources use none of the last four.
"""

from __future__ import annotations

GPU_ONLY = {
    "test_compute_sanitizer_finds_nothing": "blocks and warps that really run at once, and memory as the GPU sees it",
    "test_a_captured_kernel_gives_the_same_bytes_each_time_it_is_replayed": "CUDA graphs: only the driver can refuse a launch in one",
    "test_the_graph_of_a_step_has_the_launches_and_the_order_that_were_asked_for": "CUDA's own drawing of a graph",
    "test_ten_thousand_launches_take_no_more_memory_than_one": "the memory of a GPU, and CuPy's pool, which a CPU has not",
    "test_blocks_that_run_at_once_give_the_same_bytes_every_time": "the last block adds what the others left: here they run in any order",
}
