"""What goes beside what in a step on a GPU: as few launches one after another as the work allows, and none beside one that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from races import Order, RaceError
from strict import StrictDevice

from npae import backend as backends
from npae.captured import CapturedSteps
from npae.kernels.cuda.device import Device, using
from npae.losses import L2, GaussianKL
from npae.models import AE, VAE, WAE, Model
from npae.optim import Adam
from npae.training.configuration import build_model, resolve

FEATURES, ROWS = 784, 40


@pytest.fixture
def strict(compiler: None) -> Iterator[StrictDevice]:
    """Where backend "cupy" computes, on a CPU."""
    backends._instance.cache_clear()
    with using(StrictDevice()) as device:
        yield device
    backends._instance.cache_clear()


def stepped(model: Model, batch: int, **form: bool) -> CapturedSteps:
    """After three steps, of which the last was recorded and replayed."""
    rng = np.random.default_rng(0)
    x = rng.random((ROWS, model.features)).astype(model.dtype)
    steps = CapturedSteps(model, Adam(model.parameters, 1e-3), 0, model.backend.from_host(x), most=4, **form)
    steps.run([rng.permutation(ROWS)[:batch] for _ in range(3)])
    return steps


@pytest.mark.parametrize(
    ("preset", "flags", "launches", "longest"),
    [
        ("flux-ae", {}, 17, 12),
        ("flux-vae", {}, 25, 13),
        ("flux-wae", {}, 30, 15),
        ("vae", {"hidden": [200, 200], "latent": 50, "activation": ["tanh", "tanh"]}, 27, 17),  # the IWAE paper's network
    ],
)
def test_a_step_is_so_many_launches_of_which_so_many_come_one_after_another(
    strict: StrictDevice, preset: str, flags: dict[str, Any], launches: int, longest: int
) -> None:
    settings = resolve(preset, flags={**flags, "backend": "cupy"})
    assert stepped(build_model(settings, FEATURES), 20).chain(20) == (launches, longest)


@pytest.mark.parametrize("kind", [AE, VAE, WAE])
def test_side_by_side_or_in_turn_the_weights_are_the_same_to_the_last_bit(gpu: Device, kind: type[Model]) -> None:
    def weights(side_by_side: bool) -> bytes:
        model = kind(FEATURES, (128,), 8, backend="cupy")
        start = model.backend.to_host(model.parameters.value).copy()
        steps = stepped(model, 20, side_by_side=side_by_side)
        for _ in range(10):
            steps.run([np.arange(20), np.arange(20, 40)])
        launches, longest = steps.chain(20)
        assert (longest < launches) == side_by_side
        moved = model.backend.to_host(model.parameters.value)
        assert (moved != start).mean() > 0.5
        return bytes(moved.tobytes())

    assert weights(True) == weights(False)


def test_one_who_asks_for_a_gradient_comes_after_those_who_make_it(strict: StrictDevice) -> None:
    class Doubled(AE):
        """Whose author has never heard of lines."""

        def backward(self) -> None:
            """twice"""
            super().backward()
            for name in self.parameters:
                self.parameters[name].grad *= 2

    class Flat(AE):
        """The same through the flat vector."""

        def backward(self) -> None:
            """twice"""
            super().backward()
            self.parameters.grad *= 2

    stepped(Doubled(9, (5,), 2, backend="cupy"), 8)
    stepped(Flat(9, (5,), 2, backend="cupy"), 8)


def test_a_network_that_is_run_again_waits_for_gradients_that_read_what_it_left(strict: StrictDevice) -> None:
    class Twice(AE):
        """Forward and backward, and again: in the second pass the buffers of the first are written anew."""

        def backward(self) -> None:
            """twice"""
            super().backward()
            self.likelihood.forward(self.decoder.forward(self.encoder.forward(self.x)), self.x)
            super().backward()

        def forward(self, x: Any, *others: Any) -> Any:
            """as an AE"""
            self.x = x
            return super().forward(x, *others)

    stepped(Twice(9, (5,), 2, backend="cupy"), 8)


class Watching(AE):
    """With a term that is only logged, on a line that no backward joins."""

    def forward(self, x: Any, *others: Any) -> Any:
        """as an AE"""
        terms = super().forward(x, *others)
        with self.backend.beside("watched"):
            terms.watch(largest=self.backend.number(x.max().astype("float64")))
        return terms


def test_the_end_of_a_step_comes_after_terms_that_are_only_watched(strict: StrictDevice) -> None:
    stepped(Watching(9, (5,), 2, backend="cupy"), 8)


LEFT_OUT = {
    "terms": (VAE, {}, "terms"),
    "the MMD": (WAE, {}, "terms"),
    "zeros": (VAE, {}, "zeros"),
    "penalty": (VAE, {"l2": 0.1}, "penalty"),
    "one of two distances": (WAE, {}, "distance 1"),
    "gradients": (AE, {}, "gradients of odd layers"),
    "the next step's batch": (AE, {}, "batch"),
    "the next step's noise": (VAE, {}, "draw of eps"),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_a_join_that_is_left_out_is_noticed(strict: StrictDevice, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    kind, options, line = LEFT_OUT[what]
    join = Order.join
    monkeypatch.setattr(Order, "join", lambda self, lines: join(self, set(lines) - {line}))
    with pytest.raises((RaceError, AssertionError), match=r"touch the same memory, in no order|while a line runs on"):
        stepped(kind(9, (5,), 2, backend="cupy", **options), 8)


def test_a_term_that_is_read_beside_its_line_is_noticed(strict: StrictDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = GaussianKL.forward

    def on_a_line(self: GaussianKL, mu: Any, s: Any) -> Any:
        with self.backend.beside("terms"):
            value = forward(self, mu, s)
        return value + 1.0

    monkeypatch.setattr(GaussianKL, "forward", on_a_line)
    monkeypatch.setattr(L2, "forward", lambda self: 0.0)
    with pytest.raises(RaceError, match="add on line '' and gaussian_kl_log_std on line 'terms' touch the same memory, in no order"):
        stepped(type("Alone", (VAE,), {"regularisers": _alone})(9, (5,), 2, backend="cupy"), 8)


def _alone(self: VAE, mu: Any, s: Any, step: int | None) -> Any:
    self.beta_now = 1.0
    return {"kl": self.kl.forward(mu, s)}, {"kl": 1.0}
