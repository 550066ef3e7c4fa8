"""The Kullback-Leibler divergence from a diagonal Gaussian to the standard normal, as a loss and as three kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, Step, step
from npae.explain.examples import of_kernel, of_loss, unwritten
from npae.explain.matrices import symbol
from npae.losses import GaussianKL

MU, S, SIGMA = [[0.5, -1, 0], [1, 0, 2]], [[0, -0.5, 0.5], [-1, 0, 0.2]], [[1, 0.5, 2], [0.25, 1, 1.25]]
Formula = Callable[[Any], Any]

GENERAL = (
    step(
        "Definition: how many nats more it takes to say z with p's code than with q's own, q = N(mu, sigma^2), p = N(0, 1).",
        r"\operatorname{KL}(q \,\|\, p) = E_q[\log q(z) - \log p(z)]",
    ),
    step(
        "The two logarithms; the constants log(2 pi)/2 cancel.",
        r"\log q - \log p = -\log \sigma - \frac{(z - \mu)^2}{2 \sigma^2} + \frac{z^2}{2}",
    ),
    step(
        "Means under q: of (z - mu)^2 it is sigma^2, of z^2 it is sigma^2 + mu^2 (Kingma & Welling 2014, appendix B).",
        r"\operatorname{KL} = -\log \sigma - \frac{1}{2} + \frac{\sigma^2 + \mu^2}{2} = \frac{1}{2} (\sigma^2 + \mu^2 - 1 - \log \sigma^2)",
    ),
)


def _steps(
    form: str, s: str, each: Formula, ds: Formula, scale: Formula, named: str, value: str, texts: tuple[str, str, str]
) -> tuple[Step, ...]:
    """`texts`: what the form says of sigma, the divergence in s, and its derivative, as LaTeX."""
    says, divergence, derivative = texts
    return (
        *GENERAL,
        step(f"The form {form}: {says}", rf"k = \frac{{1}}{{2}} ({divergence})", k=each),
        step(
            "Sum over the latent units; rows are independent. Down each column stand the nats of one unit.",
            rf"{symbol(value)} = {named} \sum_b \sum_j k_{{bj}}",
            per_unit=lambda v: scale(v) * v.k.sum(axis=0),
            **{value: lambda v: scale(v) * v.k.sum()},
        ),
        step(
            "Derivative with respect to the mean: it is pulled towards 0 as by a spring.",
            rf"d\mu = {named} \, \mu",
            dmu=lambda v: scale(v) * v.mu,
        ),
        step("Derivative with respect to the other head: zero where sigma = 1.", rf"d{symbol(s)} = {named} {derivative}", **{f"d{s}": ds}),
    )


def _kernel(
    name: str, form: str, s: str, values: list[list[float]], each: Formula, slope: Formula, texts: tuple[str, str, str]
) -> Derivation:
    arguments = {"mu": MU, s: values, "scale": 0.5, "dmu": unwritten(2, 3), f"d{s}": unwritten(2, 3), "per_unit": unwritten(3)}
    steps = _steps(form, s, each, lambda v: v.scale * slope(v), lambda v: v.scale, r"\text{scale}", "value", texts)
    return Derivation(name, name, steps, of_kernel(name, arguments, ("value", "dmu", f"d{s}", "per_unit"), {"mu": "dmu", s: f"d{s}"}))


LOG_STD = ("s = log sigma.", r"e^{2s} + \mu^2 - 1 - 2s", r"(e^{2s} - 1)")


def _log_std(v: Any) -> Any:
    return (np.exp(2 * v.s) + v.mu**2 - 1 - 2 * v.s) / 2


DERIVATIONS = (
    Derivation(
        GaussianKL,
        "GaussianKL",
        (
            *_steps(
                "log_std", "s", _log_std, lambda v: (np.exp(2 * v.s) - 1) / len(v.s), lambda v: 1 / len(v.mu), r"\frac{1}{B}", "L", LOG_STD
            ),
            step(
                "Free bits: a unit whose mean divergence is below f counts f, a constant, so its gradient is 0 (Kingma et al. 2016).",
                r"L = \sum_j \max(f, \operatorname{KL}_j) \qquad d\mu_j = ds_j = 0 \text{ where } \operatorname{KL}_j < f",
            ),
        ),
        of_loss(GaussianKL, {"mu": MU, "s": S}),
    ),
    _kernel("gaussian_kl_log_std", "log_std", "s", S, _log_std, lambda v: np.exp(2 * v.s) - 1, LOG_STD),
    _kernel(
        "gaussian_kl_log_variance",
        "log_variance",
        "v",
        S,
        lambda v: (np.exp(v.v) + v.mu**2 - 1 - v.v) / 2,
        lambda v: (np.exp(v.v) - 1) / 2,
        ("v = log sigma^2.", r"e^v + \mu^2 - 1 - v", r"\frac{1}{2} (e^v - 1)"),
    ),
    _kernel(
        "gaussian_kl_sigma",
        "sigma",
        "sigma",
        SIGMA,
        lambda v: (v.sigma**2 + v.mu**2 - 1 - np.log(v.sigma**2)) / 2,
        lambda v: v.sigma - 1 / v.sigma,
        ("sigma itself, above 0.", r"\sigma^2 + \mu^2 - 1 - 2 \log \sigma", r"\left(\sigma - \frac{1}{\sigma}\right)"),
    ),
)
