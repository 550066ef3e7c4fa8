"""The numbers of the claims about samples, about a map of codes and about inference, each worked out from its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special
from scipy.spatial.distance import cdist

from npae.backend import Array
from npae.claims import Trainings, ideas, random_codes, tsne_purity, vae_gan
from npae.claims.trainings import Trained, some_of
from npae.data import load
from npae.models import Model

GAN_SETTINGS = {"latent": 16, "hidden": [256], "epochs": 30}
CODES_SETTINGS = {"latent": 8, "hidden": [128], "epochs": 20, "learning_rate": 1e-3}
IDEAS_SETTINGS = {"latent": 8, "hidden": [128], "epochs": 5, "learning_rate": 2e-3}


def share_inside(points: Array, centres: Array, k: int = 3) -> float:
    """The share of points no farther from some centre than its k-th neighbour is."""
    radii = np.sort(cdist(centres, centres), axis=1)[:, k]
    return float((cdist(points, centres) <= radii).any(axis=1).mean())


def hidden_features(trainings: Trainings, trained: Trained, x: Array) -> Array:
    """The classifier's last hidden layer, before its logits, through scikit-learn's own prediction."""
    network = trainings.classifier(0, trained.train).network
    h = np.asarray(x, np.float64)
    for W, b in list(zip(network.coefs_, network.intercepts_, strict=True))[:-1]:
        h = (h @ W + b).clip(0)
    np.testing.assert_allclose(
        special.softmax(h @ network.coefs_[-1] + network.intercepts_[-1], axis=1), network.predict_proba(x), atol=1e-9
    )
    return h


def test_precision_and_recall_of_the_three_models_are_those_of_their_samples(trainings: Trainings) -> None:
    numbers = vae_gan.measure(trainings, 0).numbers
    models = {
        name: trainings(name.lower(), 0, **({} if name == "GAN" else {"learning_rate": 1e-3}), **GAN_SETTINGS)
        for name in ("VAE", "GAN", "WAE")
    }
    real = load("digits").test
    assert real is not None
    for name, trained in models.items():
        real_features, drawn = (hidden_features(trainings, trained, x) for x in (real, trained.model.sample(len(real), seed=0)))
        assert numbers[f"{name}: precision"] == pytest.approx(share_inside(drawn, real_features), abs=1e-12)
        assert numbers[f"{name}: recall"] == pytest.approx(share_inside(real_features, drawn), abs=1e-12)


def test_the_models_that_draw_have_the_same_decoder(trainings: Trainings) -> None:
    vae_gan.measure(trainings, 0)
    shapes = [
        [trained.model.parameters[name].shape for name in trained.model.parameters.names() if name.startswith("decoder.")]
        for trained in (
            trainings("gan", 0, **GAN_SETTINGS),
            *(trainings(kind, 0, learning_rate=1e-3, **GAN_SETTINGS) for kind in ("vae", "wae")),
        )
    ]
    assert shapes[0] == shapes[1] == shapes[2]


@pytest.mark.parametrize(
    ("gan", "vae", "holds"),
    [((0.9, 0.5), (0.8, 0.6), True), ((0.7, 0.5), (0.8, 0.6), False), ((0.9, 0.7), (0.8, 0.6), False), ((0.8, 0.6), (0.8, 0.6), False)],
)
def test_a_gan_looks_better_and_covers_less_or_the_claim_does_not_hold(
    gan: tuple[float, float], vae: tuple[float, float], holds: bool, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from npae.evaluation.precision_recall import PrecisionRecall

    found = iter([PrecisionRecall(*vae), PrecisionRecall(*gan), PrecisionRecall(1.0, 0.0)])  # the order of the models
    monkeypatch.setattr(vae_gan, "precision_recall", lambda real, drawn: next(found))
    assert vae_gan.measure(trainings, 0).holds is holds


def test_the_precision_of_random_codes_is_that_of_what_they_decode_to(trainings: Trainings) -> None:
    numbers = random_codes.measure(trainings, 0).numbers
    ae, vae = trainings("ae", 0, **CODES_SETTINGS), trainings("vae", 0, **CODES_SETTINGS)
    real = load("digits").test
    assert real is not None
    drawn = {
        "AE, codes from the box of its codes": ae.model.decode(random_codes.box_codes(ae, len(real), 0)),
        "AE, codes from N(0, I)": ae.model.decode(vae.model.prior(len(real), 0)),  # the prior is the same whoever decodes it
        "VAE, codes from N(0, I)": vae.model.decode(vae.model.prior(len(real), 0)),
    }
    assert set(numbers) == set(drawn)
    for name, x in drawn.items():
        precision = share_inside(hidden_features(trainings, ae, x), hidden_features(trainings, ae, real))
        assert numbers[name] == pytest.approx(precision, abs=1e-12)


def test_the_purity_is_that_of_the_map_of_the_codes_and_of_the_map_of_the_pixels(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped: list[tuple[Array, Array]] = []

    def plane(points: Array, seed: int) -> Array:
        """Two principal components in place of a map that takes seconds."""
        left, scales, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
        mapped.append((points, left[:, :2] * scales[:2]))
        return mapped[-1][1]

    monkeypatch.setattr(tsne_purity, "tsne", plane)
    seen = tsne_purity.measure(trainings, 0)
    digits, model = load("digits"), trainings("torch-ae", 0).model
    x, labels = digits.test, digits.test_labels
    assert x is not None
    assert labels is not None
    for name, points, (given, places) in zip(("codes", "pixels"), (model.encode(x), x), mapped, strict=True):
        np.testing.assert_array_equal(given, points)
        distances = cdist(places, places)
        np.fill_diagonal(distances, np.inf)
        same = labels[np.argsort(distances, axis=1)[:, :10]] == labels[:, None]
        assert seen.numbers[f"t-SNE of the {name}"] == pytest.approx(same.mean(), abs=2e-4)  # equal distances may change places
    pairs = labels[:, None] == labels[None, :]
    assert seen.numbers["by chance"] == pytest.approx(pairs.mean(), rel=1e-12)
    assert seen.holds == (1 - seen.numbers["t-SNE of the codes"] < seen.numbers["t-SNE of the codes"] - seen.numbers["by chance"])


def bound(model: Model, x: Array, mu: Array, sigma: Array, eps: Array) -> float:
    """The mean over draws eps (K, Z) of log p(x|z), minus KL(N(mu, sigma^2) || N(0, I)), for one row x (F,)."""
    p = np.asarray(model.decode(mu + sigma * eps), np.float64).clip(1e-12, 1 - 1e-12)
    nats = (special.xlogy(x, p) + special.xlog1py(1 - x, -p)).sum(axis=1).mean()
    return float(nats - 0.5 * (sigma**2 + mu**2 - 1 - 2 * np.log(sigma)).sum())


def test_the_bound_of_each_idea_is_that_of_its_own_posterior(trainings: Trainings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ideas, "ROWS", 40)
    numbers = ideas.measure(trainings, 0).numbers
    eps = np.random.default_rng(7).standard_normal((400, 8))
    for name, kind in ideas.MODELS.items():
        trained = trainings(kind, 0, **IDEAS_SETTINGS)
        x, _ = some_of(trained.test, 40, 0)
        own = np.mean([bound(trained.model, *row, eps) for row in zip(x, *trained.model.posterior(x), strict=True)])
        assert numbers[f"{name}: ELBO"] == pytest.approx(own, abs=0.3)
        assert numbers[f"{name}: s an epoch"] == trained.history[0]["seconds"]
        assert numbers[f"{name}: gap"] > -0.1
    assert ideas.measure(trainings, 0).holds == (
        numbers["Idea 2: ELBO"] > numbers["Idea 1: ELBO"] - 5 and numbers["Idea 2: s an epoch"] < numbers["Idea 1: s an epoch"]
    )


def test_the_gap_of_an_idea_is_what_an_optimiser_of_scipys_gains(trainings: Trainings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ideas, "ROWS", 3)
    numbers = ideas.measure(trainings, 0).numbers
    trained = trainings("vae", 0, **IDEAS_SETTINGS)
    model, (x, _) = trained.model, some_of(trained.test, 3, 0)
    half = np.random.default_rng(8).standard_normal((100, 8))
    eps, gains = np.concatenate([half, -half]), []
    for row, mu, sigma in zip(x, *model.posterior(x), strict=True):
        start = np.concatenate([mu, np.log(sigma)]).astype(np.float64)

        def loss(q: Array, row: Array = row) -> float:
            return -bound(model, row, q[:8], np.exp(q[8:]), eps)

        gains.append(loss(start) - optimize.minimize(loss, start, method="L-BFGS-B", options={"eps": 1e-3}).fun)
    assert numbers["Idea 2: gap"] == pytest.approx(np.mean(gains), rel=0.15)
