"""Adam against a plain loop over algorithm 1 of its paper, against PyTorch, and at the edges of its options."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from npae.backend import Array, backend
from npae.errors import InputError, NonFiniteError
from npae.optim import PLACEMENTS, Adam, Schedule
from npae.parameters import Parameter, Parameters

START = np.array([1.0, -2.0, 0.5, 3.0])
GRADIENTS = np.random.default_rng(0).standard_normal((20, 4)) * np.array([1.0, 100.0, 1e-4, 0.0])


@pytest.fixture(params=["numpy", "numba"])
def name(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a backend runs on both."""
    return str(request.param)


def _parameters(name: str, dtype: str = "float64") -> Parameters:
    parameters = Parameters(iter({"W": Parameter((2, 2), 2, 2, "flux")}.items()), backend=backend(name), dtype=dtype, seed=0)
    parameters.value[:] = START
    return parameters


def _follow(adam: Adam, gradients: Iterable[Array]) -> Array:
    for gradient in gradients:
        adam.parameters.grad[:] = gradient
        adam.update()
    return adam.parameters.value


def _by_loop(placement: str, lr: float, b1: float, b2: float, eps: float, gradients: Array) -> list[float]:
    """One number at a time, each line one of the paper's."""
    theta, m, v = list(START), [0.0] * 4, [0.0] * 4
    for t, gradient in enumerate(gradients, start=1):
        for p in range(4):
            g = float(gradient[p])
            m[p] = b1 * m[p] + (1 - b1) * g
            v[p] = b2 * v[p] + (1 - b2) * g * g
            if placement == "bias_corrected":
                m_hat, v_hat = m[p] / (1 - b1**t), v[p] / (1 - b2**t)
                theta[p] -= lr * m_hat / (math.sqrt(v_hat) + eps)
            else:
                theta[p] -= lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m[p] / (math.sqrt(v[p]) + eps)
    return theta


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(("b1", "b2", "eps"), [(0.9, 0.999, 1e-8), (0.0, 0.0, 1e-3), (0.5, 0.9, 0.1)])
def test_twenty_steps_are_those_of_the_plain_loop(name: str, placement: str, b1: float, b2: float, eps: float) -> None:
    adam = Adam(_parameters(name), 0.01, beta1=b1, beta2=b2, epsilon=eps, epsilon_placement=placement)
    expected = _by_loop(placement, 0.01, b1, b2, eps, GRADIENTS)
    np.testing.assert_allclose(_follow(adam, GRADIENTS), expected, rtol=1e-12)
    assert adam.steps == 20


def test_the_two_placements_differ_where_the_gradient_is_not_large_against_epsilon(name: str) -> None:
    corrected, uncorrected = (Adam(_parameters(name), 0.01, epsilon=1e-4, epsilon_placement=placement) for placement in PLACEMENTS)
    moved = [START - _follow(adam, GRADIENTS[:1]) for adam in (corrected, uncorrected)]
    assert abs(moved[0][1] / moved[1][1] - 1) < 1e-3
    assert moved[0][2] / moved[1][2] > 2


def test_the_steps_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    theta = torch.tensor(START, requires_grad=True)
    theirs = torch.optim.Adam([theta], lr=0.02, betas=(0.8, 0.99), eps=1e-6)
    for gradient in GRADIENTS:
        theta.grad = torch.tensor(gradient)
        theirs.step()
    ours = Adam(_parameters(name), 0.02, beta1=0.8, beta2=0.99, epsilon=1e-6)
    np.testing.assert_allclose(_follow(ours, GRADIENTS), theta.detach().numpy(), rtol=1e-12)


def test_the_first_step_is_the_learning_rate_against_the_sign_of_the_gradient(name: str) -> None:
    moved = _follow(Adam(_parameters(name), 0.125), [np.array([4.0, -9.0, 1e-3, -1e3])]) - START
    np.testing.assert_allclose(moved, [-0.125, 0.125, -0.125, 0.125], rtol=2e-5)


def test_float32_follows_float64(name: str) -> None:
    narrow = _follow(Adam(_parameters(name, "float32"), 0.01), GRADIENTS)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, _follow(Adam(_parameters(name), 0.01), GRADIENTS), rtol=1e-5)


def test_the_gradient_is_left_as_it_was(name: str) -> None:
    adam = Adam(_parameters(name), 0.01, clip_norm=0.5)
    _follow(adam, GRADIENTS[:1])
    np.testing.assert_array_equal(adam.parameters.grad, GRADIENTS[0])


@pytest.mark.parametrize("clip_norm", [0.5, 5.0])
def test_clipping_scales_a_longer_gradient_down_to_the_norm_and_leaves_a_shorter_one(name: str, clip_norm: float) -> None:
    gradient = np.array([1.0, -2.0, 2.0, 0.0])  # of norm 3
    clipped = Adam(_parameters(name), 0.01, epsilon=0.1, clip_norm=clip_norm)
    plain = Adam(_parameters(name), 0.01, epsilon=0.1)
    scaled = gradient * min(1.0, clip_norm / 3)
    np.testing.assert_allclose(_follow(clipped, [gradient] * 3), _follow(plain, [scaled] * 3), rtol=1e-13)


def test_a_zero_gradient_can_be_clipped_and_moves_nothing(name: str) -> None:
    adam = Adam(_parameters(name), 0.01, clip_norm=1.0)
    np.testing.assert_array_equal(_follow(adam, [np.zeros(4)]), START)


def test_a_gradient_that_is_not_finite_cannot_be_clipped_and_says_what_to_do(name: str) -> None:
    adam = Adam(_parameters(name), 0.01, clip_norm=1.0)
    with pytest.raises(NonFiniteError, match=r"the gradient's norm is nan: it cannot be clipped to 1\.0; lower the learning rate"):
        _follow(adam, [np.array([1.0, np.nan, 0.0, 0.0])])


def test_the_schedule_multiplies_the_learning_rate_of_the_step_to_come(name: str) -> None:
    adam = Adam(_parameters(name), 0.5, schedule=Schedule("linear", total=4))
    seen = []
    for gradient in GRADIENTS[:4]:
        seen.append(adam.rate())
        _follow(adam, [gradient])
    assert seen == [0.5, 0.375, 0.25, 0.125]
    constant = Adam(_parameters(name), 0.5)
    for factor, gradient in zip((1, 0.75, 0.5, 0.25), GRADIENTS, strict=False):
        constant.learning_rate = 0.5 * factor
        _follow(constant, [gradient])
    np.testing.assert_allclose(adam.parameters.value, constant.parameters.value, rtol=1e-14)


def test_the_rate_of_any_step_can_be_asked_for() -> None:
    adam = Adam(_parameters("numpy"), 0.5, schedule=Schedule("linear", total=4))
    assert [adam.rate(step) for step in range(4)] == [0.5, 0.375, 0.25, 0.125]
    assert adam.steps == 0


@pytest.mark.parametrize("option", ["learning_rate", "epsilon", "clip_norm"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_a_number_that_must_be_above_zero_is_refused_by_name(option: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{option} {value} must be a finite number above 0$"):
        Adam(_parameters("numpy"), **{option: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["beta1", "beta2"])
@pytest.mark.parametrize("value", [1.0, -0.1, math.nan])
def test_a_share_outside_zero_to_one_is_refused_by_name(option: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"^{option} {value} is not in \[0, 1\): the share of a moment that is kept each step$"):
        Adam(_parameters("numpy"), **{option: value})  # type: ignore[arg-type]


def test_an_unknown_placement_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"epsilon_placement 'bias_correct' is not known; did you mean 'bias_corrected'\?"):
        Adam(_parameters("numpy"), epsilon_placement="bias_correct")
