"""A fully connected layer.

    y = x W + b          x (B, I)   W (I, O)   b (O,)   y (B, O)

    dW += x^T dy         db += sum_B dy        dx = dy W^T          (only dx while the layer is frozen)

Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

from npae.backend import Array
from npae.layers.node import Node
from npae.parameters import Parameter, check_initialiser


class Dense(Node):
    """y = x W + b.    `needs_dx=False` for the first layer of a network: where it learns, nobody reads the gradient with respect to x.

    `fan_out`: the outputs that the initialiser counts, where the layer is a part of a wider one (one of two joint heads).
    """

    def __init__(self, n_in: int, n_out: int, *, initialiser: str = "flux", needs_dx: bool = True, fan_out: int | None = None) -> None:
        check_initialiser(initialiser)
        self.n_in, self.n_out, self.needs_dx = n_in, n_out, needs_dx
        self.W = Parameter((n_in, n_out), n_in, fan_out or n_out, initialiser)
        self.b = Parameter((n_out,), n_in, fan_out or n_out, initialiser)

    def forward(self, x: Array) -> Array:
        """y = x W + b"""
        self.x = x
        y = self.buffer("y", (len(x), self.n_out))
        self.backend.kernel("affine")(x, self.W.value, self.b.value, "linear", 0.0, y)
        return y

    def backward(self, dy: Array) -> Array | None:
        """dW += x^T dy,  db += sum_B dy,  dx = dy W^T"""
        if self.learning:
            self.backend.kernel("affine_weight_gradient")(self.x, dy, self.W.grad, self.b.grad)
        if self.learning and not self.needs_dx:
            return None
        return self.backend.matmul(dy, self.W.value.T, out=self.buffer("dx", self.x.shape))
