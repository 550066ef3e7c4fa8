"""Losses: each a node whose forward returns a number and whose backward returns the gradient with respect to its inputs."""

from npae.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from npae.losses.bandwidth import Bandwidth
from npae.losses.bernoulli import BernoulliLogits, BernoulliProbabilities
from npae.losses.categorical import Categorical
from npae.losses.contractive import Contraction
from npae.losses.gaussian import Gaussian
from npae.losses.gaussian_learned import GaussianLearned
from npae.losses.importance import ImportanceWeighted
from npae.losses.kl import GaussianKL
from npae.losses.l2 import L2
from npae.losses.mmd import IMQMMD, RBFMMD
from npae.losses.reconstruction import RECONSTRUCTIONS, Reconstruction, make_reconstruction
from npae.losses.sparsity import L1, TargetRate
from npae.losses.squared_error import SquaredError

__all__ = [
    "IMQMMD",
    "L1",
    "L2",
    "RBFMMD",
    "RECONSTRUCTIONS",
    "Bandwidth",
    "BernoulliLogits",
    "BernoulliProbabilities",
    "Categorical",
    "Contraction",
    "DiscriminatorLoss",
    "Gaussian",
    "GaussianKL",
    "GaussianLearned",
    "GeneratorLoss",
    "ImportanceWeighted",
    "Reconstruction",
    "SquaredError",
    "TargetRate",
    "make_reconstruction",
]
