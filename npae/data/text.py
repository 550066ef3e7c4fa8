"""Text as rows of numbers: a symbol at each place, one-hot, padded to a fixed length.

    strings (N,)  <->  rows (N, L A)          L places, A symbols: the padding first, then the alphabet's characters

A row of probabilities is read back as the likeliest symbol at each place. Padding is dropped at the end, and shown as `PADDING` elsewhere.
Raises InputError for a string that is empty, too long, or has a character that the alphabet lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.errors import InputError

PADDING = "\N{MIDDLE DOT}"


@dataclass(frozen=True)
class Alphabet:
    """The characters that a text may have, in the order of their symbols, and how many places there are."""

    characters: str
    length: int

    @classmethod
    def of(cls, strings: Sequence[str]) -> Alphabet:
        """The characters that occur in these strings, sorted, and the length of the longest."""
        return cls("".join(sorted(set().union(*strings))), max(map(len, strings)))

    @property
    def symbols(self) -> int:
        """A: the characters and the padding."""
        return len(self.characters) + 1

    def encode(self, strings: Sequence[str]) -> Array:
        """Rows (N, L A) of 0 and 1, as booleans."""
        number = {character: symbol for symbol, character in enumerate(self.characters, 1)}
        symbols = np.zeros((len(strings), self.length), np.int64)
        for row, string in zip(symbols, strings, strict=True):
            self._check(string)
            row[: len(string)] = [number[character] for character in string]
        one_hot: Array = symbols[:, :, None] == np.arange(self.symbols)
        return one_hot.reshape(len(strings), -1)

    def symbols_of(self, rows: Array) -> Array:
        """The likeliest symbol at each place, (N, L)."""
        likeliest: Array = rows.reshape(len(rows), self.length, self.symbols).argmax(axis=2)
        return likeliest

    def decode(self, rows: Array) -> list[str]:
        """The strings that rows (N, L A) stand for."""
        every = np.array([PADDING, *self.characters])
        return ["".join(every[symbols]).rstrip(PADDING) for symbols in self.symbols_of(rows)]

    def _check(self, string: str) -> None:
        if not string:
            raise InputError("'' is empty: there is nothing to read; give a text such as one of the training rows")
        if len(string) > self.length:
            raise InputError(f"'{string}' has {len(string)} characters: at most {self.length} are read here; shorten it")
        for place, character in enumerate(string, 1):
            if character not in self.characters:
                raise InputError(f"'{string}': character '{character}' (at place {place}) is unknown here; known are '{self.characters}'")


@dataclass(frozen=True)
class TextFormat:
    """How rows and targets are to be read as text."""

    rows: Alphabet
    targets: Alphabet
