"""Wide layers, whose columns threads share out: the ordinary step's numbers up to rounding, and the same bits on any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.compiled import CompiledSteps, lowering
from npae.compiled.buffers import LINE
from npae.compiled.work import blocks, shares
from npae.kernels.step.operations import Back, Decode, Join, SparseDense, SparseWeights, Weights
from npae.models import MODELS, Model, Terms
from npae.optim import Adam
from npae.training.step import TrainingStep

FEATURES, SEED = 300, 7
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ae with an output that has a slope": ("ae", {"output": "sigmoid", "dropout": 0.2}),
    "ae of one layer": ("ae", {"hidden": (), "latent": 70}),
    "vae with l2": ("vae", {"l2": 0.01, "activation": "tanh"}),
    "vae of one layer": ("vae", {"hidden": (), "latent": 66, "posterior": "log_variance"}),
    "wae": ("wae", {}),
}


@pytest.fixture(autouse=True)
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers as small as these are cut, too."""
    monkeypatch.setattr(lowering, "WIDE", 1)


@pytest.fixture(scope="module")
def data() -> Array:
    rng = np.random.default_rng(0)
    return rng.random((70, FEATURES)) * (rng.random((70, FEATURES)) < 0.2)


@pytest.fixture(scope="module")
def batches() -> list[Array]:
    rng = np.random.default_rng(1)
    return [rng.permutation(70)[:count].astype(np.int64) for count in (24, 24, 24, 7)]


def start(case: str, dtype: str) -> tuple[Model, Adam]:
    kind, settings = CASES[case]
    model = MODELS[kind](FEATURES, **{"hidden": (260,), "latent": 5, "dtype": dtype, "seed": 1, "backend": "numba"} | settings)
    return model, Adam(model.parameters, 1e-2)


def train(case: str, dtype: str, data: Array, batches: list[Array], threads: int, sparse: bool = True) -> tuple[Model, Adam, list[Terms]]:
    model, adam = start(case, dtype)
    steps = CompiledSteps(model, adam, SEED, data.astype(dtype), threads=threads)
    steps.sparse = steps.sparse if sparse else None
    return model, adam, [*steps.run(batches[:3]), *steps.run(batches[3:])]


@pytest.mark.parametrize(("dtype", "of_terms", "of_moments"), [("float64", 1e-9, 1e-11), ("float32", 1e-4, 1e-4)])
@pytest.mark.parametrize("case", CASES)
def test_a_step_with_wide_layers_is_the_ordinary_one(
    case: str, dtype: str, of_terms: float, of_moments: float, data: Array, batches: list[Array]
) -> None:
    model, adam = start(case, dtype)
    step, x = TrainingStep(model, adam, SEED), data.astype(dtype)
    expected = [step(x[rows]) for rows in batches]
    found_model, found_adam, found = train(case, dtype, data, batches, threads=2)
    for one, other in zip(found, expected, strict=True):
        assert list(one) == list(other)
        np.testing.assert_allclose([one.total, *one.values()], [other.total, *other.values()], rtol=of_terms, atol=of_terms)
    for one, other in ((found_adam.m, adam.m), (found_adam.v, adam.v)):
        assert np.abs(one - other).max() < of_moments * np.abs(other).max()
    if dtype == "float64":
        assert np.abs(found_model.parameters.value - model.parameters.value).max() < 1e-9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_shares_give_the_same_bits_on_any_number_of_threads(case: str, dtype: str, data: Array, batches: list[Array]) -> None:
    alone = train(case, dtype, data, batches, threads=1)
    for threads, sparse in ((1, False), (2, True), (2, False), (3, True), (7, True)):
        model, adam, terms = train(case, dtype, data, batches, threads, sparse)
        assert model.parameters.value.tobytes() == alone[0].parameters.value.tobytes()
        assert (adam.m.tobytes(), adam.v.tobytes()) == (alone[1].m.tobytes(), alone[1].v.tobytes())
        assert [(of.total, *of.values()) for of in terms] == [(of.total, *of.values()) for of in alone[2]]


def test_the_last_layer_has_as_many_shares_on_one_thread_as_on_two_and_the_first_as_threads_take(data: Array) -> None:
    found = {}
    for threads in (1, 2):
        model, adam = start("vae with l2", "float32")
        plan = CompiledSteps(model, adam, SEED, data.astype("float32"), threads=threads).plan(24)
        kinds = [type(operation) for phase in plan.phases for work in phase for _, operation in work.operations]
        found[threads] = {kind: kinds.count(kind) for kind in (SparseDense, SparseWeights, Decode, Join, Weights)}
        decoding = next(phase for phase in plan.phases if any(isinstance(one, Decode) for _, one in phase[0].operations))
        assert [[type(one) for _, one in work.operations] for work in decoding] == [[Decode, Back]] * 4
        assert [work.place for work in decoding] == [0.125, 0.375, 0.625, 0.875]
        moved = plan.phases[-1]  # in the order in which threads share it out: whoever reads a share moves it
        assert [work.place for work in moved] == sorted(work.place for work in moved)
        assert [moved[k].operations[0][0] for k in (0, -1)] == ["decoder.2[:, 0:64].W", "decoder.2[:, 192:300].W"]
    assert found[1] == {SparseDense: 1, SparseWeights: 1, Decode: 4, Join: 1, Weights: 4 + 3}
    assert found[2] == {SparseDense: 2, SparseWeights: 2, Decode: 4, Join: 1, Weights: 4 + 3}


def test_blocks_of_rows_of_a_share_change_no_bit(data: Array, batches: list[Array], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train("vae with l2", "float32", data, batches, threads=2)
    monkeypatch.setattr(lowering, "MOST_ROWS", 5)
    in_blocks = train("vae with l2", "float32", data, batches, threads=2)
    assert in_blocks[0].parameters.value.tobytes() == whole[0].parameters.value.tobytes()
    assert [(of.total, *of.values()) for of in in_blocks[2]] == [(of.total, *of.values()) for of in whole[2]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_row_of_a_gradient_of_a_layer_inside_begins_on_a_cache_line(dtype: str, data: Array) -> None:
    model = MODELS["ae"](FEATURES, hidden=(250, 70), latent=5, backend="numba", dtype=dtype)
    plan = CompiledSteps(model, Adam(model.parameters), SEED, data.astype(dtype), threads=2).plan(24)
    moved = {name: one.dy_stride for work in plan.phases[-1] for name, one in work.operations if isinstance(one, Weights | SparseWeights)}
    inside = [stride for name, stride in moved.items() if name not in ("encoder.4.W", "decoder.4.W") and "[" not in name]
    assert len(inside) >= 3
    assert all(stride * model.dtype.itemsize % LINE == 0 for stride in inside)


def test_a_narrow_first_layer_is_not_cut(data: Array) -> None:
    model = MODELS["ae"](FEATURES, hidden=(255,), latent=5, backend="numba", dtype="float32")
    plan = CompiledSteps(model, Adam(model.parameters), SEED, data.astype("float32"), threads=2).plan(24)
    assert sum(isinstance(one, SparseDense) for phase in plan.phases for work in phase for _, one in work.operations) == 1


def test_a_gradient_that_is_not_finite_in_one_share_ends_the_run_before_that_step(data: Array, batches: list[Array]) -> None:
    model, adam = start("ae of one layer", "float32")
    model.parameters["decoder.0.W"].value[:, 290] = 3e38
    model.parameters["encoder.0.W"].value[...] = 0
    before = model.parameters.value.copy()
    assert CompiledSteps(model, adam, SEED, data.astype("float32"), threads=2).run(batches[:1]) == []
    assert adam.steps == 0
    assert (model.parameters.value == before).all()


@pytest.mark.parametrize(
    ("columns", "item", "most"), [(784, 4, 4), (784, 8, 4), (500, 4, 2), (128, 4, 2), (64, 4, 4), (65, 4, 4), (9, 8, 3)]
)
def test_shares_are_whole_panels_of_nearly_one_width_and_leave_nothing_out(columns: int, item: int, most: int) -> None:
    found, unit = shares(columns, item, most), 256 // item
    assert [first for first, _ in found] == [sum(width for _, width in found[:k]) for k in range(len(found))]
    assert sum(width for _, width in found) == columns
    assert len(found) == min(most, -(-columns // unit))
    assert all(width % unit == 0 for _, width in found[:-1])
    units = [-(-width // unit) for _, width in found]
    assert max(units) - min(units) <= 1


@pytest.mark.parametrize(("batch", "count"), [(100, 4), (100, 1), (7, 4), (3, 8), (1, 2)])
def test_blocks_cover_the_rows_once(batch: int, count: int) -> None:
    found = blocks(batch, count)
    assert [row for first, last in found for row in range(first, last)] == list(range(batch))
    assert len(found) == min(batch, count)
