"""Philox: random numbers that are a function of where they are used."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_kernel, unwritten

WHERE = {"seed": 7, "stream": 3, "step": 5, "rows": np.array([0, 1])}
LOW, MULTIPLIERS, WEYL = 2**32 - 1, (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)


def _round(words: list[int], key: tuple[int, int]) -> list[int]:
    """One round, in Python's whole numbers."""
    first, second = MULTIPLIERS[0] * words[0], MULTIPLIERS[1] * words[2]
    return [(second >> 32) ^ words[1] ^ key[0], second & LOW, (first >> 32) ^ words[3] ^ key[1], first & LOW]


def _block(v: Any, row: int, rounds: int) -> list[int]:
    words, key = [0, row, v.step, v.stream], (v.seed & LOW, v.seed >> 32)
    for _ in range(rounds):
        words = _round(words, key)
        key = ((key[0] + WEYL[0]) & LOW, (key[1] + WEYL[1]) & LOW)
    return words


BITS = (
    step(
        "The counter says where the number is used; the key is the seed, in two halves. Here the counters of rows 0 and 1.",
        r"c = (\text{block}, \text{row}, \text{step}, \text{stream}) \qquad k = (\text{seed} \bmod 2^{32}, \text{seed} / 2^{32})",
        counter=lambda v: np.array([_block(v, int(row), 0) for row in v.rows]),
    ),
    step(
        "A round: two products of 32-bit words; their high and low halves, mixed with the other words and the key, change places.",
        r"c \leftarrow (\operatorname{hi}(M_1 c_2) \oplus c_1 \oplus k_0, \operatorname{lo}(M_1 c_2),"
        r" \operatorname{hi}(M_0 c_0) \oplus c_3 \oplus k_1, \operatorname{lo}(M_0 c_0))",
        after_one_round=lambda v: np.array([_block(v, int(row), 1) for row in v.rows]),
    ),
    step(
        "The key moves on by a constant after each round, and there are ten (Salmon et al. 2011, section 3.3).",
        r"k \leftarrow k + (\text{9E3779B9}, \text{BB67AE85}) \bmod 2^{32}",
        words=lambda v: np.array([_block(v, int(row), 10) for row in v.rows]),
    ),
)
NOTHING = step("Nothing is differentiated: a random number is data to everything that reads it.")

DERIVATIONS = (
    Derivation(
        "philox_bits",
        "philox_bits",
        (
            *BITS,
            step("Column c is word c mod 4 of block c div 4.", r"\text{out}_{bc} = \text{words}_{bc}", out=lambda v: v.words[:, :3]),
            NOTHING,
        ),
        of_kernel("philox_bits", {**WHERE, "out": np.zeros((2, 3), np.uint32)}, ("out",)),
    ),
    Derivation(
        "philox_uniform",
        "philox_uniform",
        (
            *BITS,
            step(
                "The upper 24 bits, as a fraction: in [0, 1), and exact in float32 too.",
                r"u = \lfloor \text{words} / 2^8 \rfloor \cdot 2^{-24}",
                out=lambda v: (v.words[:, :3] // 2**8) * 2.0**-24,
            ),
            NOTHING,
        ),
        of_kernel("philox_uniform", {**WHERE, "out": unwritten(2, 3)}, ("out",)),
    ),
    Derivation(
        "philox_normal",
        "philox_normal",
        (
            *BITS,
            step(
                "Two words as two uniform numbers, none of them 0.",
                r"u = \left(\text{words} + \frac{1}{2}\right) 2^{-32}",
                u=lambda v: (v.words + 0.5) * 2.0**-32,
            ),
            step(
                "Two independent standard normals have a radius r with r^2/2 exponentially distributed, and an angle that is uniform"
                " (Box & Muller 1958).",
                r"r = \sqrt{-2 \log u_1} \qquad t = 2 \pi u_2",
                r=lambda v: np.sqrt(-2 * np.log(v.u[:, 0::2])),
                t=lambda v: 2 * np.pi * v.u[:, 1::2],
            ),
            step(
                "So a pair of words gives a pair of numbers; the third column is the first of the next pair.",
                r"(r \cos t, r \sin t)",
                out=lambda v: np.stack((v.r * np.cos(v.t), v.r * np.sin(v.t)), axis=-1).reshape(2, -1)[:, :3],
            ),
            NOTHING,
        ),
        of_kernel("philox_normal", {**WHERE, "out": unwritten(2, 3)}, ("out",)),
    ),
)
