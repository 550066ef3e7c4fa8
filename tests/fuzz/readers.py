"""Every reader of files that npae has, with whole examples of what it reads and the ways in which they are spoiled."""

from __future__ import annotations

from tests.fuzz.reader import Reader
from tests.fuzz.readers_of_data import DATA_READERS
from tests.fuzz.readers_of_runs import RUN_READERS

READERS: dict[str, Reader] = {reader.name: reader for reader in (*DATA_READERS, *RUN_READERS)}
