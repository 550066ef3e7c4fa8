"""What `npae detect` found, as tables on the screen, as JSON, and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from npae.backend import Array
from npae.cli.screen import show, table_of
from npae.evaluation.ranking import Ranking, roc_curve
from npae.figures.auroc_by_class import auroc_by_class
from npae.figures.roc import roc
from npae.figures.style import save

NAMES = {
    "reconstruction_error": "reconstruction error",
    "negative_elbo": "ELBO",
    "negative_log_likelihood": "importance-weighted",
    "one_class_svm": "one-class SVM",
    "isolation_forest": "isolation forest",
}
MEASURES = ("auroc", "average_precision")


@dataclass(frozen=True, eq=False)
class Detected:
    """One run judged: its scores (N,), and how they rank the rows where labels say which are normal; `kept`: the labels it trained on."""

    folder: Path
    data: str
    normal: list[int] | None
    kept: list[int] | None
    rows: int
    labels: Array | None
    scores: dict[str, Array]
    rankings: dict[str, Ranking]
    file: Path

    @property
    def normal_text(self) -> str:
        """3, or 0,1."""
        return ",".join(map(str, self.normal or []))

    @property
    def abnormal(self) -> Array:
        """Which rows are strange, by their labels."""
        assert self.labels is not None
        assert self.normal is not None
        return np.asarray(~np.isin(self.labels, self.normal))


def as_dict(found: list[Detected]) -> dict[str, Any]:
    """For JSON: every run, and of several the means."""
    runs = [
        {
            "run": str(one.folder),
            "data": one.data,
            "rows": one.rows,
            "normal": one.normal,
            "trained_on": one.kept,
            "scores": str(one.file),
            "measured": {name: ranking.as_dict() for name, ranking in one.rankings.items()},
        }
        for one in found
    ]
    means = {measure: {name: _mean(found, name, measure) for name in found[0].rankings} for measure in MEASURES} if len(found) > 1 else {}
    return {"runs": runs} | ({"mean": means} if means else {})


def draw(found: list[Detected], path: Path) -> Path | None:
    """ROC curves of one run, or the areas of several, label by label; nothing where no labels say what is normal."""
    if not found[0].rankings:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(found) == 1:
        one = found[0]
        return save(roc({NAMES[name]: roc_curve(values, one.abnormal) for name, values in one.scores.items()}), path)
    areas = {NAMES[name]: [one.rankings[name].auroc.value for one in found] for name in found[0].rankings}
    spans = {NAMES[name]: [(one.rankings[name].auroc.low, one.rankings[name].auroc.high) for one in found] for name in found[0].rankings}
    return save(auroc_by_class(areas, [one.normal_text for one in found], intervals=spans), path)


def show_detected(found: list[Detected]) -> None:
    """Print it."""
    if len(found) == 1:
        _show_one(found[0])
        return
    show(f"each label in turn is the normal one; {found[0].rows} rows of {found[0].data}")
    shares = [next(iter(one.rankings.values())).abnormal for one in found]
    show(_table(found, "auroc", "area under the ROC curve (0.5 by chance)"))
    show(_table(found, "average_precision", f"average precision ({min(shares):.3f} to {max(shares):.3f} by chance)"))
    places = found[0].folder.parent
    show(f"\n  {places / 'detection.json'}\n  {places / 'auroc.png'}")


def _show_one(one: Detected) -> None:
    if not one.rankings:
        why = "the rows have no labels" if one.labels is None else "--normal does not say which labels are normal"
        show(f"{one.rows} rows of {one.data} scored; {why}, so nothing is judged")
    else:
        share = next(iter(one.rankings.values())).abnormal
        show(f"{one.folder}: normal is label {one.normal_text}; {one.rows} rows of {one.data}, {share:.1%} of them abnormal")
        if one.kept is None:
            show(
                "  this run was trained on rows of every label, so the abnormal ones may be no news to it (npae detect MODEL --normal ...)"
            )
        table = table_of("score", "AUROC", "95 %", f"average precision ({share:.3f} by chance)", "95 %", right=(1, 3))
        for name, ranking in one.rankings.items():
            auroc, precision = ranking.auroc, ranking.average_precision
            cells = (f"{auroc.value:.4f}", _interval(ranking, "auroc"), f"{precision.value:.4f}", _interval(ranking, "average_precision"))
            table.add_row(NAMES[name], *cells)
        show(table)
    show(f"  {one.file}   {', '.join(one.scores)}")
    if one.rankings:
        show(f"  {one.folder / 'figures' / 'roc.png'}")


def _table(found: list[Detected], measure: str, title: str) -> Table:
    """A line a normal label, a column a score, the mean last."""
    names = list(found[0].rankings)
    table = table_of("normal", *(NAMES[name] for name in names), title=f"\n{title}, 95 % interval")
    for one in found:
        cells = (f"{getattr(one.rankings[name], measure).value:.3f} {_interval(one.rankings[name], measure, 3)}" for name in names)
        table.add_row(one.normal_text, *cells)
    table.add_row("mean", *(f"{_mean(found, name, measure):.3f}" for name in names))
    return table


def _interval(ranking: Ranking, measure: str, digits: int = 4) -> str:
    estimate = getattr(ranking, measure)
    return f"{estimate.low:.{digits}f} .. {estimate.high:.{digits}f}"


def _mean(found: list[Detected], name: str, measure: str) -> float:
    return float(np.mean([getattr(one.rankings[name], measure).value for one in found]))
