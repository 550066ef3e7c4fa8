"""What a reader is to the fuzzer: whole examples, a way to spoil them, and the call that reads a folder with a case in it."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.mutations import spoiled

Files = dict[str, bytes]  # path inside the folder of the case -> content
Spoil = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Reader:
    """`make` gives the examples; `ways` spoil the content of one file each, by the end of its name ("": of any)."""

    name: str
    make: Callable[[], list[Files]]
    read: Callable[[Path], object]
    ways: tuple[tuple[str, Spoil], ...] = ()

    @functools.cache  # noqa: B019  (there are a dozen readers, and they live as long as the program)
    def examples(self) -> list[Files]:
        """Files that are read without complaint."""
        return self.make()

    def spoil(self, dice: random.Random) -> Files:
        """One of the examples, one of its files spoiled: half of the time as plain bytes."""
        files = dict(dice.choice(self.examples()))
        name = dice.choice(sorted(files))
        fitting = [way for end, way in self.ways if name.endswith(end)]
        if fitting and dice.random() < 0.5:
            files[name] = dice.choice(fitting)(files[name], dice)
        else:
            files[name] = spoiled(files[name], dice, [other for example in self.examples() for other in example.values()])
        return files
