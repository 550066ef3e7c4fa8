"""A peer in a process of its own, and the questions it answers.

    parent -> worker     {"do": QUESTION, argument: value, ...}      one line of JSON
    worker -> parent     ANSWER                                      one line of JSON

The worker side is `serve`, called by the module that is run; the parent side is `Worker`. What a library prints inside a worker goes to its
standard error, which is kept in a file. Raises WorkerError, with the end of that file, when a worker stops or talks nonsense.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import WorkerError

ROOT = Path(__file__).resolve().parents[1]


def serve(prepare: Callable[[], object]) -> None:
    """Worker: answer from standard input until it closes. A question is the name of a public method of what `prepare` returns."""
    answers_to = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    peer = prepare()
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(getattr(peer, question.pop("do"))(**question)), file=answers_to)


class Worker:
    """Parent: a running worker. Use it in a `with`, so that it never outlives its parent's interest."""

    def __init__(self, name: str, command: Sequence[str], *, folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self.started = time.perf_counter()
        self.log = folder / f"{name}-{time.perf_counter_ns()}.log"
        with self.log.open("wb") as errors:
            pipe, environment = subprocess.PIPE, {**os.environ, **variables}
            self.process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=errors, text=True, bufsize=1, env=environment, cwd=ROOT
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(self, question: str, **arguments: Any) -> Any:
        """Its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": question, **arguments}) + "\n")
            line = self.process.stdout.readline()
            return json.loads(line)
        except (BrokenPipeError, json.JSONDecodeError):
            raise WorkerError(f"{self.name} stopped at '{question}': {self._last_words()}") from None

    def age(self) -> float:
        """Seconds since it was started."""
        return time.perf_counter() - self.started

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) or "it left no message"
