"""Penalties: on the code (L1, TargetRate), on the parameters (L2), on the encoder's Jacobian (Contraction)."""

from __future__ import annotations

import numpy as np

from npae.backend import Array, backend
from npae.explain.derivation import Derivation, Worked, step
from npae.explain.examples import of_loss
from npae.inspection.gradcheck import check
from npae.inspection.probe import Probe
from npae.layers import Dense, inference
from npae.losses import L1, L2, Contraction, TargetRate
from npae.parameters import Parameters

ABSOLUTE = Derivation(
    L1,
    "L1",
    (
        step(
            "Definition: the absolute values of a row's code, mean over the batch.",
            r"L = \frac{1}{B} \sum_b \sum_j |z_{bj}|",
            L=lambda v: np.abs(v.z).sum() / len(v.z),
        ),
        step(
            "Derivative: the slope of |z| is the sign of z, whatever its size; 0 is taken at the kink. So small activations are pulled as"
            " hard as large ones, and end at exactly 0.",
            r"dz_{bj} = \frac{\operatorname{sign}(z_{bj})}{B}",
            dz=lambda v: np.sign(v.z) / len(v.z),
        ),
    ),
    of_loss(L1, {"z": [[0.5, -2, 0.25], [1, 0.5, -1]]}),
)

TARGET_RATE = Derivation(
    TargetRate,
    "TargetRate",
    (
        step("How active unit j is over the batch.", r"r_j = \frac{1}{B} \sum_b z_{bj}", r=lambda v: v.z.mean(axis=0)),
        step(
            "Definition: the divergence of a coin of rate rho from one of rate r, for every unit.",
            r"L = \sum_j \left[ \rho \log \frac{\rho}{r_j} + (1 - \rho) \log \frac{1 - \rho}{1 - r_j} \right]",
            each=lambda v: v.rate * np.log(v.rate / v.r) + (1 - v.rate) * np.log((1 - v.rate) / (1 - v.r)),
            L=lambda v: v.each.sum(),
        ),
        step(
            "Derivative with respect to r: zero at r = rho.",
            r"\frac{\partial L}{\partial r_j} = -\frac{\rho}{r_j} + \frac{1 - \rho}{1 - r_j}",
            dr=lambda v: -v.rate / v.r + (1 - v.rate) / (1 - v.r),
        ),
        step(
            "r is a mean, so every row gets the same share of it.",
            r"dz_{bj} = \frac{1}{B} \frac{\partial L}{\partial r_j}",
            dz=lambda v: np.tile(v.dr / len(v.z), (len(v.z), 1)),
        ),
    ),
    of_loss(TargetRate, {"z": [[0.5, 0.1, 0.25], [0.25, 0.1, 0.75]]}, settings={"rate": 0.1}),
)


def _l2() -> Worked:
    """A decoder of one Dense layer; its weights and its bias lie side by side in one vector."""
    layer, loss = Dense(3, 2), L2()
    theta = Parameters(
        (("decoder." + name, tensor) for name, tensor in layer.named_parameters()), backend=backend("numpy"), dtype="float64", seed=0
    )
    loss.bind(theta.backend, theta.dtype)
    loss.attach(theta, "decoder")
    theta.value[...] = [1, 0, -1, 2, 0.5, 1, 0.5, -1]

    def objective() -> float:
        with inference(loss):
            return loss.forward()

    def gradients() -> dict[str, Array]:
        theta.zero_grad()
        loss.forward()
        loss.backward(1.0)
        return {"p": theta.grad.copy()}

    report = check(Probe("L2", {"p": theta.value}, objective, gradients))
    return Worked({"W": theta["decoder.W"].value, "b": theta["decoder.b"].value}, {"L": objective(), "dp": gradients()["p"]}, report)


SQUARES = Derivation(
    L2,
    "L2",
    (
        step(
            "All parameters of one part, weights and biases, side by side.",
            r"p = (W_{11}, W_{12}, \ldots, b_1, \ldots)",
            p=lambda v: np.concatenate([v.W.ravel(), v.b]),
        ),
        step("Definition: their squares. No 1/2, and no mean: the batch is not in it.", r"L = \sum_k p_k^2", L=lambda v: np.sum(v.p**2)),
        step(
            "Derivative: each parameter is pulled towards 0 by its own size. It is added to what backward has left.",
            r"dp_k = 2 p_k",
            dp=lambda v: 2 * v.p,
        ),
    ),
    _l2,
)


def _contraction() -> Worked:
    """One layer with a sigmoid."""
    loss = Contraction(("sigmoid",))
    loss.bind(backend("numpy"), np.dtype("float64"))
    W, h = np.array([[1, 0], [-1, 2], [0.5, 1]]), np.array([[0.5, 0.25], [0.8, 0.9]])

    def objective() -> float:
        with inference(loss):
            return loss.forward([W], [h])

    def gradients() -> dict[str, Array]:
        loss.forward([W], [h])
        (dW,), (dh,) = loss.backward()
        return {"W": dW.copy(), "h": dh.copy()}

    report, found = check(Probe("Contraction", {"W": W, "h": h}, objective, gradients)), gradients()
    return Worked({"W": W, "h": h}, {"L": objective(), "dW": found["W"], "dh": found["h"]}, report)


CONTRACTION = Derivation(
    Contraction,
    "Contraction",
    (
        step(
            "One layer z = h = f(x W + b), f the sigmoid. How each code unit moves with each input:",
            r"\frac{\partial h_j}{\partial x_i} = f'(a_j) W_{ij} = d_j W_{ij} \qquad d = h (1 - h)",
            d=lambda v: v.h * (1 - v.h),
        ),
        step(
            "Definition: the sum of the squares of all entries of that Jacobian, mean over the batch (Rifai et al. 2011, equations 4 and"
            " 5). For one layer the squares of a column of W come out of the sum.",
            r"L = \frac{1}{B} \sum_b \sum_j \sum_i (d_{bj} W_{ij})^2 = \frac{1}{B} \sum_b \sum_j d_{bj}^2 \lVert W_j \rVert^2",
            squares_of_W=lambda v: (v.W**2).sum(axis=0),
            L=lambda v: (v.d**2 * v.squares_of_W).sum() / len(v.h),
        ),
        step(
            "Derivative with respect to W, with h held: W_ij is in one square for each row.",
            r"dW_{ij} = \frac{2}{B} W_{ij} \sum_b d_{bj}^2",
            dW=lambda v: 2 / len(v.h) * v.W * (v.d**2).sum(axis=0),
        ),
        step(
            "Derivative with respect to d.",
            r"dd_{bj} = \frac{2}{B} d_{bj} \lVert W_j \rVert^2",
            dd=lambda v: 2 / len(v.h) * v.d * v.squares_of_W,
        ),
        step(
            "Chain rule to the output: d is a function of h alone. The encoder's own backward carries dh on to W and b, where it is added.",
            r"\frac{\partial d}{\partial h} = 1 - 2h \qquad dh = dd \odot (1 - 2h)",
            dh=lambda v: v.dd * (1 - 2 * v.h),
        ),
        step(
            "Deeper: the Jacobian is a product, one factor a layer, built from the last layer down without ever being formed.",
            r"N_L = \operatorname{diag}(d_L), \quad N_{l-1} = (N_l W_l^\top) \odot d_{l-1}, \quad"
            r" \frac{\partial z}{\partial x} = N_1 W_1^\top",
        ),
        step(
            "Its squared norm needs only the products of W_1's columns, G; and backward runs the same recursion from layer 1 up.",
            r"L = \frac{1}{B} \sum (N_1 G) \odot N_1 \quad G = W_1^\top W_1 \qquad dN_1 = \frac{2}{B} N_1 G, \quad"
            r" dW_1 = \frac{2}{B} W_1 (N_1^\top N_1)",
        ),
    ),
    _contraction,
)

DERIVATIONS = (ABSOLUTE, TARGET_RATE, SQUARES, CONTRACTION)
