"""Adam, as npae.optim holds it and as a kernel."""

from __future__ import annotations

import math

import numpy as np

from npae.backend import backend
from npae.explain.derivation import Derivation, Worked, step
from npae.explain.examples import of_kernel
from npae.layers import Dense
from npae.optim import Adam
from npae.parameters import Parameters

THETA, GRAD = [1, -0.5, 2], [0.5, -2, 0.01]
M, V = [0.1, 0, -0.2], [0.04, 0.5, 0.01]

MOMENTS = (
    step(
        "Definition: a running mean of the gradient, so that noise of single batches averages out.",
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g",
    ),
    step(
        "And of its square, element by element: how large a gradient of this parameter usually is.",
        r"v \leftarrow \beta_2 v + (1 - \beta_2) g^2",
    ),
)


def _two_steps() -> Worked:
    """Two parameters of a Dense layer and its bias, two steps with one gradient."""
    theta = Parameters(Dense(2, 1).named_parameters(), backend=backend("numpy"), dtype="float64", seed=0)
    theta.value[...], theta.grad[...] = THETA, GRAD
    adam = Adam(theta, learning_rate=0.1)
    adam.update()
    first = theta.value.copy()
    adam.update()
    given = {"theta0": np.array(THETA), "g": np.array(GRAD), "lr": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    return Worked(given, {"theta1": first, "theta2": theta.value.copy(), "m2": adam.m.copy(), "v2": adam.v.copy()}, None)


OPTIMISER = Derivation(
    Adam,
    "Adam",
    (
        *MOMENTS,
        step(
            "Both start at 0. After the first step they are too small by 1 - beta:",
            r"m_1 = (1 - \beta_1) g \qquad v_1 = (1 - \beta_2) g^2",
            m1=lambda v: (1 - v.beta1) * v.g,
            v1=lambda v: (1 - v.beta2) * v.g**2,
        ),
        step(
            "In general, for a gradient of constant mean, the sum of the weights after t steps is 1 - beta^t (section 3 of the paper).",
            r"E[m_t] = E[g] (1 - \beta_1) \sum_{k=1}^{t} \beta_1^{t-k} = E[g] (1 - \beta_1^t)",
        ),
        step(
            "So dividing by it takes the bias out.",
            r"\hat{m} = \frac{m}{1 - \beta_1^t} \qquad \hat{v} = \frac{v}{1 - \beta_2^t}",
            mhat1=lambda v: v.m1 / (1 - v.beta1),
            vhat1=lambda v: v.v1 / (1 - v.beta2),
        ),
        step(
            "The step: every parameter moves by about lr, whatever the size of its gradient. In the first step exactly by the sign.",
            r"\theta \leftarrow \theta - \text{lr} \cdot \frac{\hat{m}}{\sqrt{\hat{v}} + \epsilon}",
            theta1=lambda v: v.theta0 - v.lr * v.mhat1 / (np.sqrt(v.vhat1) + v.epsilon),
        ),
        step(
            "The second step, with the same gradient.",
            r"t = 2",
            m2=lambda v: v.beta1 * v.m1 + (1 - v.beta1) * v.g,
            v2=lambda v: v.beta2 * v.v1 + (1 - v.beta2) * v.g**2,
            theta2=lambda v: v.theta1 - v.lr * v.m2 / (1 - v.beta1**2) / (np.sqrt(v.v2 / (1 - v.beta2**2)) + v.epsilon),
        ),
        step(
            "The other placement of epsilon, 'uncorrected' (end of section 2; Keras): the same up to the size of epsilon.",
            r"\theta \leftarrow \theta - \text{lr} \cdot \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m}{\sqrt{v} + \hat{\epsilon}}",
        ),
    ),
    _two_steps,
)

STEP, LR = 3, 0.1
ALPHA, ROOT_SCALE = LR / (1 - 0.9**STEP), 1 / math.sqrt(1 - 0.999**STEP)
ARGUMENTS = {"theta": THETA, "grad": GRAD, "m": M, "v": V, "alpha": ALPHA, "beta1": 0.9, "beta2": 0.999, "root_scale": ROOT_SCALE}

KERNEL = Derivation(
    "adam",
    "adam",
    (
        *MOMENTS,
        step(
            "The gradient, scaled (by less than 1 where its norm is clipped).",
            r"g = \text{gradient scale} \cdot \text{grad}",
            g=lambda v: v.gradient_scale * v.grad,
        ),
        step("The moments after this step.", r"m' = \beta_1 m + (1 - \beta_1) g", new_m=lambda v: v.beta1 * v.m + (1 - v.beta1) * v.g),
        step("", r"v' = \beta_2 v + (1 - \beta_2) g^2", new_v=lambda v: v.beta2 * v.v + (1 - v.beta2) * v.g**2),
        step(
            "The bias corrections of step t (here 3, with lr 0.1) are the same for all parameters, so the caller folds them into two"
            " numbers.",
            r"\text{alpha} = \frac{\text{lr}}{1 - \beta_1^t} \qquad \text{root scale} = \frac{1}{\sqrt{1 - \beta_2^t}}",
        ),
        step(
            "The step.",
            r"\theta' = \theta - \text{alpha} \frac{m'}{\sqrt{v'} \, \text{root scale} + \epsilon}",
            new_theta=lambda v: v.theta - v.alpha * v.new_m / (np.sqrt(v.new_v) * v.root_scale + v.epsilon),
        ),
    ),
    of_kernel("adam", {**ARGUMENTS, "epsilon": 1e-8, "gradient_scale": 0.5}, ("new_theta", "new_m", "new_v")),
)

DERIVATIONS = (OPTIMISER, KERNEL)
