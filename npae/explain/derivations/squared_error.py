"""The squared error, as a loss and as a kernel, and the Gaussian likelihoods that it is the logarithm of."""

from __future__ import annotations

import math

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_kernel, of_loss, unwritten
from npae.losses import Gaussian, GaussianLearned, SquaredError

Y, X = {"y": [[1, 0.5, -1], [2, 0, 1]]}, {"x": [[0, 1, -1], [1, 0.5, 2]]}

SQUARED_ERROR = Derivation(
    SquaredError,
    "SquaredError",
    (
        step("The error of every element.", r"e = y - x", e=lambda v: v.y - v.x),
        step(
            "Definition: the sum over features, the mean over the batch (reduction mean divides by B F instead).",
            r"L = \frac{1}{B} \sum_b \sum_f e_{bf}^2",
            L=lambda v: np.sum(v.e**2) / len(v.y),
        ),
        step(
            "Derivative of a square; each y_bf is in one term alone.",
            r"dy_{bf} = \frac{\partial L}{\partial y_{bf}} = \frac{2}{B} e_{bf} \frac{\partial e_{bf}}{\partial y_{bf}}"
            r" = \frac{2}{B} (y_{bf} - x_{bf})",
            dy=lambda v: 2 * (v.y - v.x) / len(v.y),
        ),
    ),
    of_loss(SquaredError, Y, given=X),
)

KERNEL = Derivation(
    "squared_error",
    "squared_error",
    (
        step("The error of every element.", r"e = y - x", e=lambda v: v.y - v.x),
        step(
            "The value: the scale is the caller's, 1/B for a mean over the batch, 1/(2 eta B) for a Gaussian.",
            r"\text{value} = \text{scale} \sum_b \sum_f e_{bf}^2",
            value=lambda v: v.scale * np.sum(v.e**2),
        ),
        step(
            "The gradient comes in the same pass over memory, since it needs the same e.",
            r"dy_{bf} = 2 \, \text{scale} \, e_{bf}",
            dy=lambda v: 2 * v.scale * v.e,
        ),
    ),
    of_kernel("squared_error", {**Y, **X, "scale": 0.5, "dy": unwritten(2, 3)}, ("value", "dy"), {"y": "dy"}),
)

DENSITY = step(
    "Definition: minus the logarithm of the density of a Gaussian around y with variance eta in each of F directions.",
    r"N(x | y, \eta I) = (2 \pi \eta)^{-F/2} \exp\left(-\frac{\lVert y - x \rVert^2}{2 \eta}\right)",
)

GAUSSIAN = Derivation(
    Gaussian,
    "Gaussian",
    (
        DENSITY,
        step("The squared distance of each row.", r"D_b = \sum_f (y_{bf} - x_{bf})^2", D=lambda v: np.sum((v.y - v.x) ** 2, axis=1)),
        step(
            "Take the logarithm, turn the sign, and the mean over the batch. The second term is a constant of the data.",
            r"L = \frac{1}{B} \sum_b \left[ \frac{D_b}{2 \eta} + \frac{F}{2} \log(2 \pi \eta) \right]",
            L=lambda v: np.mean(v.D / (2 * v.eta) + v.y.shape[1] / 2 * math.log(2 * math.pi * v.eta)),
        ),
        step(
            "Only D depends on y, by twice the error: the error is weighed by the precision 1/eta.",
            r"dy_{bf} = \frac{1}{B} \frac{1}{2 \eta} 2 (y_{bf} - x_{bf}) = \frac{y_{bf} - x_{bf}}{\eta B}",
            dy=lambda v: (v.y - v.x) / (v.eta * len(v.y)),
        ),
    ),
    of_loss(Gaussian, Y, settings={"eta": 0.5}, given=X),
)

LEARNED = Derivation(
    GaussianLearned,
    "GaussianLearned",
    (
        DENSITY,
        step(
            "The variance as an exponential: any r is allowed, and eta stays above 0.",
            r"\eta = \eta_0 e^r \qquad \frac{\partial \eta}{\partial r} = \eta",
            eta=lambda v: v.start * np.exp(v.r[0]),
        ),
        step(
            "The mean squared distance of a row.",
            r"D = \frac{1}{B} \sum_b \lVert y_b - x_b \rVert^2",
            D=lambda v: np.sum((v.y - v.x) ** 2) / len(v.y),
        ),
        step(
            "The loss in D and eta.",
            r"L = \frac{D}{2 \eta} + \frac{F}{2} \log(2 \pi \eta)",
            L=lambda v: v.D / (2 * v.eta) + v.y.shape[1] / 2 * math.log(2 * math.pi * v.eta),
        ),
        step("The gradient of y, as for a fixed eta.", r"dy = \frac{y - x}{\eta B}", dy=lambda v: (v.y - v.x) / (v.eta * len(v.y))),
        step(
            "The gradient of eta: a larger variance makes the error cheaper and the constant dearer.",
            r"\frac{\partial L}{\partial \eta} = -\frac{D}{2 \eta^2} + \frac{F}{2 \eta}",
            deta=lambda v: -v.D / (2 * v.eta**2) + v.y.shape[1] / (2 * v.eta),
        ),
        step(
            "Chain rule to r. It vanishes at eta = D/F, the mean squared error of an element.",
            r"dr = \eta \frac{\partial L}{\partial \eta} = \frac{F}{2} - \frac{D}{2 \eta}",
            dr=lambda v: np.array([v.eta * v.deta]),
        ),
    ),
    of_loss(GaussianLearned, Y, settings={"start": 0.5}, given=X, parameters={"r": [0.2]}),
)

DERIVATIONS = (SQUARED_ERROR, GAUSSIAN, LEARNED, KERNEL)
