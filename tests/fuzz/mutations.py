"""Ways to spoil bytes and values, all of them functions of a seeded random.Random: the same dice, the same damage.

spoiled(content, dice, others)    bits, bytes and numbers changed, parts cut, doubled, exchanged with those of another file
spoiled_value(value, dice)        one leaf or branch of what JSON or TOML holds replaced, removed or renamed
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 10**12, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
WRITTEN = ("0", "-1", "1", "3", "255", "1000000000000", "9" * 30, "9" * 5000, "1e308", "1e999", "-0.0", "nan", "inf", "0x10", "1_000", "")
DEEP = 3000  # brackets: more than Python reads into
WORDS = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b'"',
    b",",
    b"\x1b[2J",
    b"../../",
    b"/etc/passwd",
    b"[" * DEEP,
    b"{" * DEEP,
    b"(" * DEEP,
)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3.5, 10**12, -(10**12), 10**30, 1e308, float("nan"), float("inf"), "", "x", "../../etc/passwd",
    "/etc/passwd", "\x1b[2J\n", "\ud800", "x" * 5000, [], {}, [1], [[]], ["x"], [10**12], {"x": 1}, [-1, 0], [None],
)  # fmt: skip


def spoiled(content: bytes, dice: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """The content after one to four changes."""
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        changed = dice.choice(CHANGES)(changed, dice, others or (content,))
    return bytes(changed)


def _place(content: bytearray, dice: random.Random) -> int:
    """Somewhere, and half of the time near the start, where headers are."""
    return dice.randrange(min(len(content), 128) if dice.random() < 0.5 else len(content)) if content else 0


def _span(content: bytearray, dice: random.Random) -> slice:
    start = _place(content, dice)
    return slice(start, start + dice.choice((1, 2, 4, 8, 16, 64, 256, 4096)))


def _flip(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    if content:
        content[_place(content, dice)] ^= 1 << dice.randrange(8)
    return content


def _byte(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    if content:
        content[_place(content, dice)] = dice.randrange(256)
    return content


def _number(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    """A number of some width, as a header has them."""
    width, order, start = dice.choice((1, 2, 4, 8)), dice.choice(("little", "big")), _place(content, dice)
    content[start : start + width] = (dice.choice(NUMBERS) % 256**width).to_bytes(width, order)  # type: ignore[arg-type]
    return content


def _written(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    """A number that is written in digits."""
    found = list(re.finditer(rb"-?\d[\d.e+-]*", content))
    if found:
        place = dice.choice(found[:20] if dice.random() < 0.5 else found)
        content[place.start() : place.end()] = dice.choice(WRITTEN).encode()
    return content


def _cut(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    return content[: dice.randrange(len(content) + 1)]


def _remove(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    del content[_span(content, dice)]
    return content


def _repeat(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    span = _span(content, dice)
    content[span.start : span.start] = content[span] * dice.choice((1, 1, 2, 50))
    return content


def _word(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    start = _place(content, dice)
    content[start:start] = dice.choice(WORDS)
    return content


def _random(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    span = _span(content, dice)
    content[span] = dice.randbytes(dice.choice((1, 4, 16, 300)))
    return content


def _zeros(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    span = _span(content, dice)
    content[span] = bytes(len(content[span]))
    return content


def _splice(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    """The start of this, the end of another."""
    other = dice.choice(others)
    return content[: dice.randrange(len(content) + 1)] + other[dice.randrange(len(other) + 1) :]


def _noise(content: bytearray, dice: random.Random, others: Sequence[bytes]) -> bytearray:
    return content[: dice.choice((0, 4, 8))] + dice.randbytes(dice.randrange(600))


CHANGES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], bytearray], ...] = (
    _flip, _flip, _byte, _byte, _number, _number, _written, _written, _cut, _remove, _repeat, _word, _random, _zeros, _splice, _noise,
)  # fmt: skip


def spoiled_value(value: Any, dice: random.Random) -> Any:
    """A copy with one to three places changed."""
    whole = {"": copy.deepcopy(value)}
    for _ in range(dice.choice((1, 1, 2, 3))):
        branch, key = dice.choice(_places(whole))
        change = dice.random()
        if change < 0.15 and branch is not whole:
            del branch[key]
        elif change < 0.25 and isinstance(branch, dict) and branch is not whole:
            branch[dice.choice(("", "x", "\ud800", "__class__", f"{key}x"))] = branch.pop(key)
        elif change < 0.35:
            branch[key] = [branch[key]] * dice.choice((1, 2, 30))
        elif isinstance(branch[key], int | float) and change < 0.6:
            branch[key] = dice.choice((branch[key] + 1, -branch[key], branch[key] * 10**6, float(branch[key]), branch[key] * 2))
        else:
            branch[key] = copy.deepcopy(dice.choice(VALUES))
    return whole[""]


def _places(branch: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a value."""
    keys = list(branch) if isinstance(branch, dict) else range(len(branch)) if isinstance(branch, list) else ()
    return [place for key in keys for place in ((branch, key), *_places(branch[key]))]
