"""Layers that read random numbers: Dropout and Reparameterise, with its kernels. The numbers are arguments, so all are plain functions."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, Worked, step
from npae.explain.derivations.products import against_differences
from npae.explain.examples import of_kernel, of_layer, unwritten
from npae.layers import Dropout, Reparameterise

DROPOUT = Derivation(
    Dropout,
    "Dropout",
    (
        step(
            "Draw: u is uniform on [0, 1), so a unit is kept with probability 1 - r.",
            r"m = [u \ge r] \qquad P(m = 1) = 1 - r \qquad r = \text{rate}",
            m=lambda v: (v.u >= v.rate).astype(float),
        ),
        step(
            "Definition: what is kept is scaled up, so that the mean over the draws is x and inference needs no change.",
            r"y = \frac{x \odot m}{1 - r} \qquad E[y] = \frac{x (1 - r)}{1 - r} = x",
            y=lambda v: v.x * v.m / (1 - v.rate),
        ),
        step(
            "Derivative: given the draw, y is x times a constant.",
            r"\frac{\partial y_{bf}}{\partial x_{bf}} = \frac{m_{bf}}{1 - r}",
            slope_at_x=lambda v: v.m / (1 - v.rate),
        ),
        step(
            "Chain rule, element by element: what was dropped has no gradient.",
            r"dx = \frac{dy \odot m}{1 - r}",
            dx=lambda v: v.dy * v.slope_at_x,
        ),
    ),
    of_layer(
        Dropout,
        {"x": [[1, 2, -1], [0.5, 1, 3]]},
        {"dy": [[1, 2, -1], [0.5, 1, 4]]},
        settings={"rate": 0.5, "features": 3},
        given={"u": [[0.7, 0.2, 0.9], [0.1, 0.6, 0.5]]},
    ),
)

REPARAMETERISE = Derivation(
    Reparameterise,
    "Reparameterise",
    (
        step(
            "What is wanted: the gradient of a mean over z ~ N(mu, sigma^2), whose parameters are in the distribution that is drawn from.",
            r"\nabla_{\mu,\sigma} E_{z \sim N(\mu, \sigma^2)}[f(z)]",
        ),
        step(
            "Draw eps from a distribution without parameters, and make z of it; then the gradient goes inside the mean"
            " (Kingma & Welling 2014, section 2.4).",
            r"z = \mu + \sigma \varepsilon, \quad \varepsilon \sim N(0, 1) \qquad \nabla E[f(z)] = E[\nabla f(\mu + \sigma \varepsilon)]",
        ),
        step(
            "The form log_std: the head's s is the logarithm of sigma, so sigma > 0 whatever s is.",
            r"\sigma = e^s \qquad z = \mu + e^s \varepsilon",
            sigma=lambda v: np.exp(v.s),
            z=lambda v: v.mu + v.sigma * v.eps,
        ),
        step("The mean moves z as much as itself.", r"\frac{\partial z}{\partial \mu} = 1 \qquad d\mu = dz", dmu=lambda v: v.dz),
        step(
            "s moves z by the deviation that it has made: the exponential is its own derivative.",
            r"\frac{\partial z}{\partial s} = e^s \varepsilon \qquad ds = dz \odot \sigma \varepsilon",
            ds=lambda v: v.dz * v.sigma * v.eps,
        ),
        step(
            "The other forms differ in the last factor alone.",
            r"\text{log variance: } \sigma = e^{s/2}, \quad ds = \frac{1}{2} dz \odot \sigma \varepsilon"
            r" \qquad \text{sigma: } \sigma = s, \quad ds = dz \odot \varepsilon",
        ),
    ),
    of_layer(
        lambda: Reparameterise("log_std"),
        {"mu": [[0.5, -1, 0], [1, 0, 2]], "s": [[0, -0.5, 0.5], [-1, 0, 0.2]]},
        {"dz": [[1, 2, -1], [0.5, 1, 4]]},
        given={"eps": [[1, -0.5, 0.2], [-1, 2, 0]]},
    ),
)

MU, S, EPS = [[0.5, -1, 0], [1, 0, 2]], [[0, -0.5, 0.5], [-1, 0, 0.2]], [[1, -0.5, 0.2], [-1, 2, 0]]
DZ = [[1, 2, -1], [0.5, 1, 4]]

DRAW = Derivation(
    "reparameterise",
    "reparameterise",
    (
        step(
            "The form says by its exponent k what s is: 1 for log sigma, 1/2 for log sigma^2; c is the noise's own standard deviation.",
            r"\sigma = c e^{k s}",
            sigma=lambda v: v.scale * np.exp(v.exponent * v.s),
        ),
        step(
            "How far the draw lies from the mean: kept, because the gradient of s is a multiple of it.",
            r"\text{deviation} = \sigma \varepsilon",
            deviation=lambda v: v.sigma * v.eps,
        ),
        step("Definition.", r"z = \mu + \text{deviation}", z=lambda v: v.mu + v.deviation),
    ),
    of_kernel(
        "reparameterise",
        {"mu": MU, "s": S, "eps": EPS, "exponent": 0.5, "scale": 2, "deviation": unwritten(2, 3), "z": unwritten(2, 3)},
        ("deviation", "z"),
    ),
)


def _through_the_draw() -> Worked:
    deviation = 2 * np.exp(0.5 * np.array(S, float)) * np.array(EPS, float)
    given = {"dz": DZ, "by": deviation, "factor": 0.5, "accumulate": True, "dmu": [[1, 0, 0], [0, 1, 0]], "ds": [[0, 0, 1], [1, 0, 0]]}
    moved = {"mu": np.array(MU, float), "s": np.array(S, float)}
    pull_mu, pull_s = np.array(given["dmu"], float), np.array(given["ds"], float)

    def objective() -> float:
        z = moved["mu"] + 2 * np.exp(0.5 * moved["s"]) * np.array(EPS, float)
        return float((np.array(DZ, float) * z + pull_mu * moved["mu"] + pull_s * moved["s"]).sum())

    worked = of_kernel("reparameterise_gradient", given, ("new_dmu", "new_ds"))
    return against_differences("reparameterise_gradient", worked, moved, objective, {"mu": "new_dmu", "s": "new_ds"})()


DRAW_GRADIENT = Derivation(
    "reparameterise_gradient",
    "reparameterise_gradient",
    (
        step(
            "z = mu + c exp(k s) eps moves with s by k times its deviation, which is `by`; k is the factor.",
            r"\frac{\partial z}{\partial s} = k c e^{k s} \varepsilon",
            slope=lambda v: v.factor * v.by,
        ),
        step(
            "The mean moves z as much as itself. Another term may pull on mu already: the gradients add.",
            r"d\mu' = d\mu + dz",
            new_dmu=lambda v: v.dmu + v.dz,
        ),
        step("So it is with s.", r"ds' = ds + dz \odot \frac{\partial z}{\partial s}", new_ds=lambda v: v.ds + v.dz * v.slope),
    ),
    _through_the_draw,
)

DERIVATIONS = (DROPOUT, REPARAMETERISE, DRAW, DRAW_GRADIENT)
