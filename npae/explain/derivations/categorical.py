"""The categorical likelihood: a softmax, and a gradient in which all of it cancels but the error."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_loss
from npae.losses import Categorical

DERIVATIONS = (
    Derivation(
        Categorical,
        "Categorical",
        (
            step(
                "Definition: one symbol a of A is at this place (here one place of three symbols); p is the softmax of the logits.",
                r"p_a = \frac{e^{l_a}}{\sum_k e^{l_k}} \qquad L = -\frac{1}{B} \sum_b \sum_a t_a \log p_a",
                p=lambda v: np.exp(v.l) / np.exp(v.l).sum(axis=1, keepdims=True),
            ),
            step(
                "Taking the largest logit m off all of them divides above and below by the same number: p stays, nothing overflows.",
                r"p_a = \frac{e^{l_a - m}}{\sum_k e^{l_k - m}} \qquad m = \max_k l_k",
                shifted=lambda v: v.l - v.l.max(axis=1, keepdims=True),
            ),
            step(
                "The logarithm of the softmax, with the sum of t equal to 1.",
                r"-\sum_a t_a \log p_a = \log \sum_k e^{l_k - m} - \sum_a t_a (l_a - m)",
                each=lambda v: np.log(np.exp(v.shifted).sum(axis=1)) - (v.t * v.shifted).sum(axis=1),
                L=lambda v: v.each.mean(),
            ),
            step(
                "Derivative of the first part: a logarithm's, then a sum's. It is the softmax itself.",
                r"\frac{\partial}{\partial l_a} \log \sum_k e^{l_k - m} = \frac{e^{l_a - m}}{\sum_k e^{l_k - m}} = p_a",
            ),
            step(
                "The second part gives -t. m drops out: it is in both parts with opposite signs.",
                r"dl_a = \frac{p_a - t_a}{B}",
                dl=lambda v: (v.p - v.t) / len(v.l),
            ),
        ),
        of_loss(
            Categorical,
            {"l": [[2, 0, -1], [0.5, 0.5, 1]]},
            settings={"symbols": 3},
            given={"t": [[1, 0, 0], [0, 1, 0]]},
        ),
    ),
)
