"""How many threads a launch takes.

    elementwise(n) -> (blocks, threads)      one thread for every PER_THREAD elements, at most MOST_BLOCKS: each then takes more of them
    blocks(n, part)                          ceil(n / part)

They depend on the size alone, never on the device: a sum has the same order, hence the same bits, on every GPU.
"""

from __future__ import annotations

THREADS = 256
PER_THREAD = 4
MOST_BLOCKS = 1024


def blocks(n: int, part: int) -> int:
    """Parts of that size that n elements fill, the last perhaps not whole; at least one."""
    return max(1, -(-n // part))


def elementwise(n: int) -> tuple[int, int]:
    """Blocks and threads of a block for a loop over n elements."""
    return min(blocks(n, THREADS * PER_THREAD), MOST_BLOCKS), THREADS
