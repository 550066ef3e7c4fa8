"""One reader against many spoiled files: what may happen is that a file is read, or refused with InputError. Everything else is a failure.

A case is a folder of files, a function of (reader, seed). It is read in a worker, a fork of this process, so that a crash, a hang and a
lack of memory are failures like any other, after which the next worker goes on. In the worker

    memory       may grow by MEMORY bytes: allocations beyond it fail, and MemoryError is a failure
    time         CPU_SECONDS of the processor, WALL_SECONDS of the clock: the system ends what goes on for longer
    audit hook   no file outside of the case is opened, nothing is unpickled, executed, deleted or sent
    warnings     none is given
    messages     of InputError: one line, of at most LONGEST characters, all of which can be printed

The files of a failed case are kept.
"""

from __future__ import annotations

import codecs
import json
import mmap
import os
import random
import resource
import shutil
import signal
import sys
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from npae.errors import InputError
from tests.fuzz.readers import READERS, Reader

MEMORY = 256 * 2**20
CPU_SECONDS, WALL_SECONDS = 5.0, 60.0
LONGEST = 2000
NOT_BEGUN = 70 << 8  # as the system gives the exit status 70
FORBIDDEN = {  # what Python's audit events call it
    *("pickle.find_class", "exec", "marshal.loads", "subprocess.Popen", "socket.connect", "socket.getaddrinfo", "ctypes.dlopen"),
    *(f"os.{name}" for name in ("remove", "rename", "rmdir", "mkdir", "system", "exec", "fork", "symlink", "link", "chmod", "truncate")),
}


@dataclass
class Outcome:
    """What came of a campaign: how many files were read and refused, the memory that reading them took, and what failed by seed."""

    read: int = 0
    refused: int = 0
    grown: int = 0
    failures: dict[int, str] = field(default_factory=dict)


def files_of(reader: Reader, seed: int) -> dict[str, bytes]:
    """The case of that seed."""
    return reader.spoil(random.Random(f"{reader.name} {seed}"))


def campaign(name: str, seed: int, cases: int, folder: Path) -> Outcome:
    """The cases seed, seed + 1, ... of a reader. `folder` is where they are written; those that fail stay there as NAME-SEED."""
    reader = READERS[name]
    folder.mkdir(parents=True, exist_ok=True)
    board = np.frombuffer(mmap.mmap(-1, 32), np.int64)  # shared with the workers: next seed, read, refused, memory
    board[0], outcome = seed, Outcome()
    while board[0] < seed + cases:
        notes = folder / f"{name}.failures"
        notes.write_text("")
        status = _worker(reader, board, seed + cases, folder, notes)
        outcome.failures |= {int(case): text for case, text in map(json.loads, notes.read_text().splitlines())}
        if status == NOT_BEGUN:
            raise SystemExit(f"{name}: its examples cannot be read, or the fuzzer itself is broken; see above")
        if status:
            case = int(board[0])
            outcome.failures[case] = _ended(status)
            _keep(folder / f"{name}-work", folder / f"{name}-{case}")
            board[0] += 1
    notes.unlink()
    shutil.rmtree(folder / f"{name}-work", ignore_errors=True)
    outcome.read, outcome.refused, outcome.grown = (int(number) for number in board[1:])
    return outcome


def _ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if -code in (signal.SIGPROF, signal.SIGALRM):
        return f"took more than {CPU_SECONDS:.0f} s of the processor or {WALL_SECONDS:.0f} s of the clock"
    return f"the process ended with {signal.Signals(-code).name if code < 0 else code}"


def _worker(reader: Reader, board: Any, end: int, folder: Path, notes: Path) -> int:
    """Cases in a process of its own, until the end or until it dies; the status that the system gives."""
    process = os.fork()
    if process:
        return os.waitpid(process, 0)[1]
    try:
        _work(reader, board, end, folder, notes)
    except BaseException:
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def _work(reader: Reader, board: Any, end: int, folder: Path, notes: Path) -> None:
    work = folder / f"{reader.name}-work"
    for example in reader.examples():  # also loads what reading needs, so that nothing more is loaded below
        _write(work, example)
        reader.read(work)
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8-sig", "latin1"):
        codecs.lookup(encoding)
    watch = _Watch(work)
    sys.addaudithook(watch)
    before = _pages(0)
    resource.setrlimit(resource.RLIMIT_AS, (before + MEMORY, before + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resident = _pages(1)
    while board[0] < end:
        case = int(board[0])
        _write(work, files_of(reader, case))
        verdict = _read(reader, work, watch)
        board[3] = max(board[3], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident)
        if verdict in ("read", "refused"):
            board[1 if verdict == "read" else 2] += 1
        else:
            with notes.open("a") as file:
                file.write(json.dumps([case, verdict]) + "\n")
            _keep(work, folder / f"{reader.name}-{case}")
        board[0] += 1


def _read(reader: Reader, work: Path, watch: _Watch) -> str:
    """ "read", "refused", or what is wrong."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    try:
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            with watch:
                reader.read(work)
        verdict = "read"
    except InputError as refusal:
        verdict = _complaint(str(refusal)) or "refused"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        verdict = f"{type(error).__name__}: {str(error)[:300]} ({Path(where.filename).name}:{where.lineno})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    if given:
        return f"warned: {given[0].category.__name__}: {given[0].message}"
    return f"did what no reader may: {watch.seen[0]}" if watch.seen else verdict


def _complaint(message: str) -> str | None:
    """What is wrong with the message of a refusal."""
    if len(message) > LONGEST:
        return f"a message of {len(message)} characters: {message[:100]!r} ..."
    return None if message.isprintable() else f"a message that cannot be printed as it is: {message!r}"


class _Watch:
    """An audit hook that takes down, while it is on, what a reader may not do."""

    def __init__(self, folder: Path) -> None:
        self.on, self.seen, self.folder = False, list[str](), os.path.realpath(folder) + os.sep

    def __enter__(self) -> None:
        self.on, self.seen = True, []

    def __exit__(self, *error: object) -> None:
        self.on = False

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if self.on and (event in FORBIDDEN or (event == "open" and self._outside(given[0]))):
            self.on = False  # what looks at the file system below is not the reader
            self.seen.append(f"{event} {given[0] if event != 'exec' else ''}")
            self.on = True

    def _outside(self, path: Any) -> bool:
        return isinstance(path, str | bytes) and not os.path.realpath(os.fsdecode(path)).startswith(self.folder)


def _pages(column: int) -> int:
    """Bytes of this process: 0 of addresses, 1 resident."""
    return int(Path("/proc/self/statm").read_text().split()[column]) * resource.getpagesize()


def _write(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _keep(work: Path, where: Path) -> None:
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(work, where)
