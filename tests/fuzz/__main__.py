"""Spoiled files for every reader: each is read, or refused with one line; no crash, no hang, no memory that a header asked for.

  python -m tests.fuzz all --cases 10000
  python -m tests.fuzz npz --cases 100000 --seed 500000
  python -m tests.fuzz npz --seed 512345 --cases 1          one case again, as a failure says

Files are spoiled by bit flips, cuts, splices, edited numbers and random bytes, some with their checksums made good again; what has to hold
stands in tests/fuzz/campaign.py. The same seed spoils the same file in the same way. Exit status 1 if any case failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy is loaded: threads are address space, which is measured here

from tests.fuzz.campaign import campaign  # noqa: E402
from tests.fuzz.readers import READERS  # noqa: E402

SHOWN = 10  # failures of a reader


def run(arguments: argparse.Namespace) -> int:
    """A line a reader; the failures, and how to have each again."""
    kept = Path(arguments.keep or tempfile.mkdtemp(prefix="fuzz-"))
    failed = 0
    for name in READERS if arguments.reader == "all" else [arguments.reader]:
        started = time.monotonic()
        outcome = campaign(name, arguments.seed, arguments.cases, kept)
        failed += len(outcome.failures)
        print(
            f"{name:<12} {arguments.cases} cases: {outcome.read} read, {outcome.refused} refused, {len(outcome.failures)} failed;"
            f" memory grew by {outcome.grown / 2**20:.0f} MB at most; {time.monotonic() - started:.0f} s",
            flush=True,
        )
        for seed, says in list(outcome.failures.items())[:SHOWN]:
            print(f"  {says}\n    python -m tests.fuzz {name} --seed {seed} --cases 1      files: {kept / f'{name}-{seed}'}", flush=True)
    if not failed and not arguments.keep:
        kept.rmdir()
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=[*READERS, "all"], help="which reader")
    parser.add_argument("--cases", type=int, default=1000, metavar="N", help="how many files (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the first file; the next has the next (default: 0)")
    parser.add_argument("--keep", metavar="FOLDER", help="where the files of failed cases go (default: a temporary folder)")
    sys.exit(run(parser.parse_args()))
