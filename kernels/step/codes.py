"""Names of what an operation can be told to do; compiled code knows them by their place in these lists."""

from __future__ import annotations

ACTIVATIONS = ("linear", "leaky_relu", "relu", "sigmoid", "tanh", "elu", "softplus")
LINEAR, LEAKY_RELU, RELU, SIGMOID, TANH, ELU, SOFTPLUS = range(len(ACTIVATIONS))

LIKELIHOODS = ("squared_error", "bernoulli_logits", "bernoulli_sigmoid")  # the last: of probabilities, with the sigmoid they come from
SQUARED_ERROR, BERNOULLI_LOGITS, BERNOULLI_SIGMOID = range(len(LIKELIHOODS))

FORMS = ("log_std", "log_variance", "sigma")  # what the second head of a Gaussian encoder is
LOG_STD, LOG_VARIANCE, SIGMA = range(len(FORMS))

DIVERGENCES = ("none", "exact", "keras")  # of a posterior from the prior
NONE, EXACT, KERAS = range(len(DIVERGENCES))

STEP_RATES = ("alpha", "root", "beta1", "beta2", "epsilon", "kl_weight")  # what changes from step to step
ALPHA, ROOT, BETA1, BETA2, EPSILON, KL_WEIGHT = range(len(STEP_RATES))
OF_A_STEP = len(STEP_RATES)

_MOMENT = ("batch", "step", "rates", "order", "ahead", "low", "high", "scratch")  # what a handler is told of the step and of its thread
BATCH, STEP, RATES, ORDER, AHEAD, LOW, HIGH, SCRATCH = range(len(_MOMENT))
MOMENT = len(_MOMENT)

PART_ROWS = 64  # rows of a part of W: a multiple of every panel's width, so that W^T is written in whole cache lines
HEAD = 64  # bytes of a thread's scratch, a cache line, that hold the numbers of the step that Adam, or a loss, needs: at most six
AT_A_TIME = 64  # nonzeros: a loop over a multiple of it has no rest that is done one by one; so many more lie behind those of all the data
BLOCK = 112  # columns of a sparse x in a block, whole vectors of them: a seventh of an image of MNIST
WORD = 64  # rows of a batch that a word of marks stands for, a bit for each
