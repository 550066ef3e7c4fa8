"""The figures that were asked of an H100 or H200, held beside what a command measured.

    asked(command, result) -> [Asked, ...]        what, limit, unit, measured (None: not in this result), verdict: met, missed, not measured

A step's time is that of npae's captured form in the model's own batch size; "times as fast" compares with the fastest of PyTorch's and
JAX's rows in the same run, round by round. An epoch's is the run's own log: data on the device, the first epoch left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

Find: TypeAlias = Callable[[Mapping[str, Any]], "float | None"]
AS_WRITTEN = "torch-cuda-cdist"  # cdist, kthvalue, exp, autograd


@dataclass(frozen=True)
class Asked:
    """One figure."""

    what: str
    limit: float
    unit: str
    at_least: bool
    measured: float | None

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.measured is None:
            return "not measured"
        return "met" if (self.measured >= self.limit if self.at_least else self.measured <= self.limit) else "missed"

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"verdict": self.verdict}


def _step(model: str, batch: int) -> Find:
    def find(result: Mapping[str, Any]) -> float | None:
        rows = [row for row in result["rows"] if (row.get("model"), row["name"]) == (model, "captured") and "milliseconds" in row]
        own = rows and result["models"][model]["batch"] == batch
        return float(1e3 * rows[0]["milliseconds"]["median"]) if own else None

    return find


def _times_as_fast(model: str) -> Find:
    def find(result: Mapping[str, Any]) -> float | None:
        verdict = result["models"].get(model, {}).get("verdict_cuda")
        return 1 / float(verdict["ratio"]["median"]) if verdict else None

    return find


def _five_epochs(preset: str) -> Find:
    def find(result: Mapping[str, Any]) -> float | None:
        rows = [row for row in result["rows"] if (row["preset"], row["name"]) == (preset, "npae-cuda") and row.get("epoch_seconds")]
        return 5e3 * float(rows[-1]["epoch_seconds"]["median"]) if rows else None

    return find


def _mmd(size: str, name: str, field: Callable[[Mapping[str, Any]], float | None]) -> Find:
    def find(result: Mapping[str, Any]) -> float | None:
        groups = [group for group in result.get("compared", {}).get("groups", []) if (group["comparison"], group["size"]) == ("mmd", size)]
        rows = [row for group in groups for row in group["rows"] if row["name"] == name and "milliseconds" in row]
        return field(rows[0]) if rows else None

    return find


def _adam(result: Mapping[str, Any]) -> float | None:
    rows = [row for row in result.get("on_gpu", {}).get("rows", []) if (row["kernel"], row["size"]) == ("adam", 100_000_000)]
    return 100 * float(rows[0]["copy_share"]) if rows else None


def _megabytes(row: Mapping[str, Any]) -> float | None:
    return None if row["extra_bytes"] is None else float(row["extra_bytes"]) / 1e6


LARGE, MIDDLE = "60000x8", "10000x8"
FIGURES: dict[str, list[tuple[str, float, str, bool, Find]]] = {
    "step": [
        ("flux-ae, a step, batch 100", 20, "us", False, _step("flux-ae", 100)),
        ("flux-vae, a step, batch 100", 20, "us", False, _step("flux-vae", 100)),
        ("flux-wae, a step, batch 100", 40, "us", False, _step("flux-wae", 100)),
        ("784-200-200-50, k = 1, a step, batch 20", 25, "us", False, _step("iwae-network", 20)),
        ("flux-ae, as fast as the best of PyTorch and JAX", 3, "times", True, _times_as_fast("flux-ae")),
        ("flux-vae, as fast as the best of PyTorch and JAX", 3, "times", True, _times_as_fast("flux-vae")),
    ],
    "epoch": [
        ("flux-ae, five epochs of MNIST", 60, "ms", False, _five_epochs("flux-ae")),
        ("flux-vae, five epochs of MNIST", 60, "ms", False, _five_epochs("flux-vae")),
    ],
    "kernels": [
        ("adam over 1e8 parameters, of the copy bandwidth", 85, "%", True, _adam),
        ("order statistics, MMD^2, gradient, n = 60,000, d = 8", 40, "ms", False,
         _mmd(LARGE, "npae-cuda", lambda row: float(row["milliseconds"]["median"]))),
        ("the same, memory beyond the inputs", 100, "MB", False, _mmd(LARGE, "npae-cuda", _megabytes)),
        ("n = 10,000, as fast as PyTorch's cdist, kthvalue, exp, autograd", 5, "times", True,
         _mmd(MIDDLE, AS_WRITTEN, lambda row: 1 / float(row["npae_over_this"]["median"]))),
    ],
    "scale": [],
}  # fmt: skip


def asked(command: str, result: Mapping[str, Any]) -> list[Asked]:
    """Every figure that this command can measure."""
    return [Asked(what, limit, unit, at_least, find(result)) for what, limit, unit, at_least, find in FIGURES[command]]
