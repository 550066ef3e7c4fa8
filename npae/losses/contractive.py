"""The contractive penalty: the squared Frobenius norm of the encoder's Jacobian, in closed form.

    L = (1/B) sum_B ||dz/dx||_F^2              x = h_0,  h_l = f_l(h_{l-1} W_l + b_l),  z = h_L         h_l (B, n_l)   W_l (n_{l-1}, n_l)

With d_l = f_l'(a_l), a function of the output h_l alone, and N_l (B, Z, n_l) the gradient of each code unit with respect to a_l:

    N_L = diag(d_L),   N_{l-1} = (N_l W_l^T) o d_{l-1},   dz/dx = N_1 W_1^T,   L = (1/B) sum (N_1 G) o N_1,   G = W_1^T W_1

so the Jacobian itself, B x Z x F numbers, is never formed. Without hidden layers N_1 = diag(d), and L is Rifai's
(1/B) sum_B sum_j d_j^2 ||W_j||^2, W_j the weights into unit j.
Backward runs the same recursion from layer 1 up:

    dN_1 = (2/B) N_1 G         dW_1 = (2/B) W_1 (N_1^T N_1)                                     ^T here sums over B and Z
    dP = dN_{l-1} o d_{l-1}    dd_{l-1} = sum_Z dN_{l-1} o P        P = N_l W_l^T               l = 2 .. L
    dN_l = dP W_l              dW_l = dP^T N_l                      dd_L = the diagonal of dN_L
    dh_l = dd_l d'(h_l)

    f          d = f' from h     d'(h)
    linear     1                 0
    sigmoid    h (1 - h)         1 - 2h
    tanh       1 - h^2           -2h
    softplus   1 - e^-h          e^-h

relu, leaky_relu and elu are refused: their slope, or its derivative, jumps at 0, and the penalty has no second derivative to descend by.
Source: Rifai, Vincent, Muller, Glorot & Bengio 2011, "Contractive auto-encoders", equations 4 and 5; deeper encoders as derived above.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers.node import Node

Derivatives = Callable[[ModuleType, Array, Array, Array], object]


def _linear(xp: ModuleType, h: Array, d: Array, slope: Array) -> None:
    d.fill(1)
    slope.fill(0)


def _sigmoid(xp: ModuleType, h: Array, d: Array, slope: Array) -> None:
    xp.subtract(1, h, out=d)
    xp.subtract(d, h, out=slope)  # 1 - 2h
    xp.multiply(d, h, out=d)


def _tanh(xp: ModuleType, h: Array, d: Array, slope: Array) -> None:
    xp.multiply(h, h, out=d)
    xp.subtract(1, d, out=d)
    xp.multiply(h, -2, out=slope)


def _softplus(xp: ModuleType, h: Array, d: Array, slope: Array) -> None:
    xp.negative(h, out=slope)
    xp.exp(slope, out=slope)
    xp.subtract(1, slope, out=d)


# f' and its derivative with respect to h, from the output h
SMOOTH: dict[str, Derivatives] = {"linear": _linear, "sigmoid": _sigmoid, "tanh": _tanh, "softplus": _softplus}


def _diagonals(n: Array) -> Array:
    """The diagonal of each row's square matrix, a view: (B, Z, Z) -> (B, Z)"""
    return n.reshape(len(n), -1)[:, :: n.shape[2] + 1]


class Contraction(Node):
    """(1/B) sum_B ||dz/dx||_F^2 of Dense layers, each with one of the smooth activations."""

    def __init__(self, activations: Sequence[str]) -> None:
        for name in activations:
            if name not in SMOOTH:
                raise InputError(
                    f"activation '{name}': the contractive penalty needs its second derivative; take one of {', '.join(SMOOTH)}"
                    f"{nearest(name, SMOOTH, listed=True)}"
                )
        self.activations = tuple(activations)

    def forward(self, weights: Sequence[Array], outputs: Sequence[Array]) -> float:
        """W_1 .. W_L and h_1 .. h_L -> L"""
        xp, rows, codes = self.backend.xp, *outputs[-1].shape
        self.weights = weights
        self.d = [self.buffer(f"d{l}", h.shape) for l, h in enumerate(outputs)]
        self.d_of_h = [self.buffer(f"d_of_h{l}", h.shape) for l, h in enumerate(outputs)]
        for name, *arrays in zip(self.activations, outputs, self.d, self.d_of_h, strict=True):
            SMOOTH[name](xp, *arrays)
        n = self.buffer("n", (rows, codes, codes))
        n.fill(0)
        _diagonals(n)[...] = self.d[-1]  # N_L = diag(d_L)
        self.N: list[Array] = [n]
        self.P: list[Array] = []
        for l in reversed(range(1, len(weights))):
            p = self._matmul(f"p{l}", n, weights[l].T)  # P = N_l W_l^T
            n = xp.multiply(p, self.d[l - 1][:, None, :], out=self.buffer(f"n{l}", p.shape))  # N_{l-1} = P o d_{l-1}
            self.N.insert(0, n)
            self.P.insert(0, p)
        G = self.backend.matmul(weights[0].T, weights[0], out=self.buffer("G", (n.shape[2], n.shape[2])))
        self.NG = self._matmul("ng", n, G)
        return self.backend.dot(self.NG, n) / rows

    def backward(self, weight: float = 1.0) -> tuple[list[Array], list[Array]]:
        """weight * (dW_1 .. dW_L, dh_1 .. dh_L)"""
        xp, W, N, dh = self.backend.xp, self.weights, self.N, self.d_of_h
        dN = self.NG
        dN *= 2 * weight / len(N[0])
        NN = self._over_rows("NN", N[0], N[0])
        NN *= 2 * weight / len(N[0])
        dW = [self.backend.matmul(W[0], NN, out=self.buffer("dW0", W[0].shape))]
        for l, P in enumerate(self.P):
            xp.multiply(dN, P, out=P)  # P is not needed again
            dd = xp.sum(P, axis=1, out=self.buffer(f"dd{l}", dh[l].shape))
            dh[l] *= dd
            dN *= self.d[l][:, None, :]  # dP
            dW.append(self._over_rows(f"dW{l + 1}", dN, N[l + 1]))
            dN = self._matmul(f"dn{l}", dN, W[l + 1])
        dh[-1] *= _diagonals(dN)  # N_L is diagonal
        return dW, dh

    def _matmul(self, name: str, n: Array, W: Array) -> Array:
        """(B, Z, n) times (n, m), as one product of B Z rows."""
        out = self.buffer(name, (*n.shape[:2], W.shape[1]))
        self.backend.matmul(n.reshape(-1, n.shape[2]), W, out=out.reshape(-1, W.shape[1]))
        return out

    def _over_rows(self, name: str, a: Array, b: Array) -> Array:
        """a^T b, summed over B and Z."""
        out = self.buffer(name, (a.shape[2], b.shape[2]))
        return self.backend.matmul(a.reshape(-1, a.shape[2]).T, b.reshape(-1, b.shape[2]), out=out)
