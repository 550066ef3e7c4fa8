"""An autoencoder small enough to be worked with a pencil: 3 - 2 - 1 - 2 - 3, two rows, one step of Adam.

Read it beside npae/layers/dense.py and npae/models/ae.py. Every weight is a small fraction whose denominator is a power of two, so the
numbers below are exact, in the computer as on paper, and the test compares them with ==.

        x (2, 3)       h = relu(a), a = x W1 + b1      z = h W2 + b2      k = relu(c), c = z W3 + b3      y = k W4 + b4

A gradient is written d and the name of what it belongs to: dz is the derivative of the loss L with respect to z.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.models import AE
from npae.optim import Adam

X = np.array([[1.0, 0.0, 0.5],
              [0.0, 1.0, 1.0]])  # fmt: skip

WEIGHTS = {
    "encoder.0.W": [[0.50, -0.25],
                    [0.25,  0.50],
                    [1.00, -0.50]],           # W1 (3, 2)
    "encoder.0.b": [0.00,  0.25],             # b1 (2,)
    "encoder.2.W": [[0.50], [-1.00]],         # W2 (2, 1)
    "encoder.2.b": [0.25],                    # b2 (1,)
    "decoder.0.W": [[1.00, -0.50]],           # W3 (1, 2)
    "decoder.0.b": [-0.25, 0.50],             # b3 (2,)
    "decoder.2.W": [[ 1.00, 0.50, -1.00],
                    [-1.00, 2.00,  0.00]],    # W4 (2, 3)
    "decoder.2.b": [0.25,  0.00,  0.50],      # b4 (3,)
}  # fmt: skip

# ---- forward -------------------------------------------------------------------------------------------------------------------------
#
# a = x W1 + b1     row 1:  1(0.5) + 0(0.25) + 0.5(1) + 0    =  1         1(-0.25) + 0(0.5) + 0.5(-0.5) + 0.25 = -0.25
#                   row 2:  0(0.5) + 1(0.25) + 1(1)   + 0    =  1.25      0(-0.25) + 1(0.5) + 1(-0.5)   + 0.25 =  0.25
# h = relu(a)       row 1:  1        0        the second unit is off for this row
#                   row 2:  1.25     0.25
# z = h W2 + b2     row 1:  1(0.5) + 0(-1) + 0.25       =  0.75
#                   row 2:  1.25(0.5) + 0.25(-1) + 0.25 =  0.625
# c = z W3 + b3     row 1:  0.75(1) - 0.25  = 0.5         0.75(-0.5) + 0.5  = 0.125
#                   row 2:  0.625(1) - 0.25 = 0.375       0.625(-0.5) + 0.5 = 0.1875
# k = relu(c) = c:  every number is above zero
# y = k W4 + b4     row 1:  0.5 - 0.125 + 0.25     = 0.625      0.25 + 0.25         = 0.5        -0.5 + 0.5   = 0
#                   row 2:  0.375 - 0.1875 + 0.25  = 0.4375     0.1875 + 0.375      = 0.5625     -0.375 + 0.5 = 0.125

FORWARD = {
    "a": [[1.0, -0.25], [1.25, 0.25]],
    "h": [[1.0, 0.0], [1.25, 0.25]],
    "z": [[0.75], [0.625]],
    "c": [[0.5, 0.125], [0.375, 0.1875]],
    "k": [[0.5, 0.125], [0.375, 0.1875]],
    "y": [[0.625, 0.5, 0.0], [0.4375, 0.5625, 0.125]],
}

# ---- loss: the mean over the two rows of the sum of squared differences --------------------------------------------------------------
#
# y - x             row 1:  0.625 - 1  = -0.375     0.5 - 0    =  0.5        0 - 0.5   = -0.5
#                   row 2:  0.4375 - 0 =  0.4375    0.5625 - 1 = -0.4375     0.125 - 1 = -0.875
# (y - x)^2         row 1:  0.140625   + 0.25       + 0.25     = 0.640625
#                   row 2:  0.19140625 + 0.19140625 + 0.765625 = 1.1484375
# L = (0.640625 + 1.1484375) / 2

LOSS = 0.89453125

# ---- backward: the same lines from the bottom to the top -----------------------------------------------------------------------------
#
# L = 1/2 sum (y - x)^2, two rows       dy = 2 (y - x) / 2 = y - x, the numbers above
#
# y = k W4 + b4     dW4 = k^T dy        row 1 of dW4 (from k's first column: 0.5, 0.375)
#                                         0.5(-0.375) + 0.375(0.4375)    = -0.1875   + 0.1640625  = -0.0234375
#                                         0.5(0.5)    + 0.375(-0.4375)   =  0.25     - 0.1640625  =  0.0859375
#                                         0.5(-0.5)   + 0.375(-0.875)    = -0.25     - 0.328125   = -0.578125
#                                       row 2 of dW4 (from k's second column: 0.125, 0.1875)
#                                         0.125(-0.375) + 0.1875(0.4375) = -0.046875 + 0.08203125 =  0.03515625
#                                         0.125(0.5) + 0.1875(-0.4375)   =  0.0625   - 0.08203125 = -0.01953125
#                                         0.125(-0.5) + 0.1875(-0.875)   = -0.0625   - 0.1640625  = -0.2265625
#                   db4 = sum of dy's rows:  0.0625    0.0625    -1.375
#                   dk = dy W4^T        row 1:  -0.375(1)  + 0.5(0.5)    - 0.5(-1)   =  0.375
#                                               -0.375(-1) + 0.5(2)      - 0.5(0)    =  1.375
#                                       row 2:  0.4375(1)  - 0.4375(0.5) - 0.875(-1) =  1.09375
#                                               0.4375(-1) - 0.4375(2)   - 0.875(0)  = -1.3125
# k = relu(c)       dc = dk where c > 0: everywhere
# c = z W3 + b3     dW3 = z^T dc:  0.75(0.375) + 0.625(1.09375)  = 0.28125 + 0.68359375 = 0.96484375
#                                  0.75(1.375) + 0.625(-1.3125)  = 1.03125 - 0.8203125  = 0.2109375
#                   db3:  0.375 + 1.09375 = 1.46875     1.375 - 1.3125 = 0.0625
#                   dz = dc W3^T        row 1:  0.375(1) + 1.375(-0.5)    = -0.3125
#                                       row 2:  1.09375(1) - 1.3125(-0.5) =  1.75
# z = h W2 + b2     dW2 = h^T dz:  1(-0.3125) + 1.25(1.75) = 1.875     0(-0.3125) + 0.25(1.75) = 0.4375
#                   db2:  -0.3125 + 1.75 = 1.4375
#                   dh = dz W2^T        row 1:  -0.3125(0.5) = -0.15625      -0.3125(-1) =  0.3125
#                                       row 2:   1.75(0.5)   =  0.875         1.75(-1)   = -1.75
# h = relu(a)       da = dh where a > 0, else 0
#                                       row 1:  -0.15625       0        no gradient through the unit that is off
#                                       row 2:   0.875        -1.75
# a = x W1 + b1     dW1 = x^T da:  1(-0.15625)                = -0.15625       1(0)             =  0
#                                  1(0.875)                   =  0.875         1(-1.75)         = -1.75
#                                  0.5(-0.15625) + 1(0.875)   =  0.796875      0.5(0) + 1(-1.75) = -1.75
#                   db1:  -0.15625 + 0.875 = 0.71875     0 - 1.75 = -1.75

BACKWARD = {
    "dy": [[-0.375, 0.5, -0.5], [0.4375, -0.4375, -0.875]],
    "dk": [[0.375, 1.375], [1.09375, -1.3125]],
    "dc": [[0.375, 1.375], [1.09375, -1.3125]],
    "dz": [[-0.3125], [1.75]],
    "dh": [[-0.15625, 0.3125], [0.875, -1.75]],
    "da": [[-0.15625, 0.0], [0.875, -1.75]],
}

GRADIENTS = {
    "encoder.0.W": [[-0.15625,  0.00],
                    [ 0.875,   -1.75],
                    [ 0.796875, -1.75]],
    "encoder.0.b": [0.71875, -1.75],
    "encoder.2.W": [[1.875], [0.4375]],
    "encoder.2.b": [1.4375],
    "decoder.0.W": [[0.96484375, 0.2109375]],
    "decoder.0.b": [1.46875, 0.0625],
    "decoder.2.W": [[-0.0234375,   0.0859375,  -0.578125],
                    [ 0.03515625, -0.01953125, -0.2265625]],
    "decoder.2.b": [0.0625, 0.0625, -1.375],
}  # fmt: skip

# ---- one step of Adam, for the last bias: b4[2] = 0.5 with g = -1.375 ----------------------------------------------------------------
#
# with learning rate 1/2 and, to see the difference, a huge epsilon of 1
#
# m = 0.1 g = -0.1375                    v = 0.001 g^2 = 0.001890625            both started from 0
# m / (1 - 0.9) = -1.375 = g             v / (1 - 0.999) = 1.890625 = g^2        so the correction gives them back at the first step
#
# bias_corrected    0.5 - 0.5 g / (|g| + 1) = 0.5 + 0.6875 / 2.375                                      = 0.789474
# uncorrected       alpha = 0.5 sqrt(0.001) / 0.1 = 0.158114         sqrt(v) + 1 = 0.0434813 + 1
#                   0.5 + 0.158114 (0.1375) / 1.0434813                                                 = 0.520835

MOVED = {"bias_corrected": 0.789474, "uncorrected": 0.520835}


@pytest.fixture(params=["numpy", "numba"])
def model(request: pytest.FixtureRequest) -> AE:
    """The network with the weights above."""
    model = AE(3, (2,), 1, activation="relu", dtype="float64", backend=request.param)
    for name, numbers in WEIGHTS.items():
        model.parameters[name].value[...] = numbers
    return model


def _list(array: Array) -> Any:
    return array.tolist()


def test_every_number_of_the_forward_pass_is_the_one_on_paper(model: AE) -> None:
    found, x = {}, X
    for name, layer in zip(FORWARD, (*model.encoder.layers, *model.decoder.layers), strict=True):
        x = layer.forward(x)
        found[name] = _list(x)
    assert found == FORWARD
    assert model.likelihood.forward(x, X) == LOSS


def test_every_number_of_the_backward_pass_is_the_one_on_paper(model: AE) -> None:
    model.forward(X, model.draw(0, 0, 2), None, {})
    dx = model.likelihood.backward()
    found = {"dy": _list(dx)}
    for name, layer in zip(list(BACKWARD)[1:], reversed([*model.encoder.layers[1:], *model.decoder.layers]), strict=True):
        dx = layer.backward(dx)
        found[name] = _list(dx)
    model.encoder.layers[0].backward(dx)
    assert found == BACKWARD
    assert {name: _list(model.parameters[name].grad) for name in model.parameters} == GRADIENTS


def test_the_model_gives_the_same_code_output_loss_and_gradients_in_one_call(model: AE) -> None:
    assert _list(model.encode(X)) == FORWARD["z"]
    assert _list(model.reconstruct(X)) == FORWARD["y"]
    assert model.loss_and_grad(X).total == model.loss(X).total == LOSS
    assert {name: _list(model.parameters[name].grad) for name in model.parameters} == GRADIENTS


@pytest.mark.parametrize("placement", ["bias_corrected", "uncorrected"])
def test_one_step_of_adam_moves_the_last_bias_as_on_paper(model: AE, placement: str) -> None:
    adam = Adam(model.parameters, 0.5, epsilon=1.0, epsilon_placement=placement)
    model.loss_and_grad(X)
    adam.update()
    assert adam.m[-1] == pytest.approx(-0.1375, rel=1e-14)
    assert adam.v[-1] == pytest.approx(0.001890625, rel=1e-13)
    assert model.parameters["decoder.2.b"].value[2] == pytest.approx(MOVED[placement], abs=5e-7)


@pytest.mark.parametrize("placement", ["bias_corrected", "uncorrected"])
def test_the_same_step_moves_every_other_parameter_by_its_own_gradient(model: AE, placement: str) -> None:
    epsilon = 1.0 if placement == "bias_corrected" else 1.0 / math.sqrt(1 - 0.999)
    adam = Adam(model.parameters, 0.5, epsilon=1.0, epsilon_placement=placement)
    model.loss_and_grad(X)
    before, g = model.parameters.value.copy(), model.parameters.grad
    adam.update()
    assert _list(model.parameters.value) == pytest.approx(_list(before - 0.5 * g / (abs(g) + epsilon)), rel=1e-12)
