"""What a trained run is worth on rows it has not seen.

  npae evaluate runs/vae-mnist              objective by terms, reconstruction beside PCA, log-likelihood bounds, codes against the prior
  npae evaluate runs/vae-mnist --json

For a VAE the importance-weighted bound (Burda et al. 2016) of --likelihood-rows rows with --samples samples each, in nats per image.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from npae.cli.opened import Opened, add_run_arguments, open_for
from npae.errors import InputError
from npae.evaluation.evaluate import evaluate
from npae.training.files import write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, the data, and how hard to look."""
    add_run_arguments(parser)
    parser.add_argument("--samples", type=int, default=100, help="importance samples a row (default: 100)")
    parser.add_argument("--likelihood-rows", type=int, default=1000, help="rows for the importance-weighted bound (default: 1000)")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, store RUN/evaluation.json, print."""
    if arguments.likelihood_rows < 1:
        raise InputError(f"--likelihood-rows {arguments.likelihood_rows}: at least 1 is needed")
    opened = open_for(arguments)
    found = evaluate(
        opened.model,
        opened.rows,
        opened.train,
        y=opened.y,
        batch_size=opened.configuration["batch_size"],
        seed=opened.configuration["seed"],
        samples=arguments.samples,
        likelihood_rows=arguments.likelihood_rows,
    )
    found = {"run": str(opened.folder), "data": opened.which, **found}
    write_json(opened.folder / "evaluation.json", found)
    print(json.dumps(found, indent=1) if arguments.json else _text(opened, found))
    return 0


def _text(opened: Opened, found: dict[str, Any]) -> str:
    rows = [("objective", _terms(found["objective"], found["weights"]))]
    if found["caveat"]:
        rows.append(("", found["caveat"]))
    if "reconstruction_per_image" in found:
        rows.append(("reconstruction per image", f"{found['reconstruction_per_image']:.4f}"))
    if "squared_error_per_feature" in found:
        mine, pca = found["squared_error_per_feature"], found["pca_squared_error_per_feature"]
        beside = f"PCA with {found['pca_components']} components {pca:.5f}" + (f", ratio {mine / pca:.3f}" if pca else "")
        rows.append(("squared error per feature", f"{mine:.5f}   {beside}"))
    if bound := found.get("log_likelihood"):
        rows.append(("ELBO", f"{_bound(bound, 'elbo')}, {bound['rows']} rows"))
        rows.append(
            ("log p(x) is at least", f"{_bound(bound, 'importance_weighted')}, {bound['importance_samples']} importance samples a row")
        )
    if codes := found.get("codes"):
        distance = "needs at least 2 rows" if codes["mmd_to_prior"] is None else f"{codes['mmd_to_prior']:.5f}, {codes['rows']} rows"
        rows.append(("codes: MMD^2 to the prior", distance))
        rows.append(("codes: active units", f"{codes['active_units']} of {codes['latent']}"))
    title = f"{opened.folder}: {opened.configuration.name}, {found['rows']} rows of {found['data']}"
    return "\n".join([title, *(f"  {name:<28} {value}" for name, value in rows)])


def _terms(terms: dict[str, float], weights: dict[str, float]) -> str:
    """total 131.3282 = nll 108.8149 + kl 15.4000 + 0.005 l2 1422.6683"""
    parts = [f"{'' if weights[name] == 1 else f'{weights[name]:g} '}{name} {value:.4f}" for name, value in terms.items() if name != "total"]
    return f"total {terms['total']:.4f} = {' + '.join(parts)}"


def _bound(bound: dict[str, Any], name: str) -> str:
    error = bound[f"{name}_standard_error"]
    return f"{bound[name]:.3f}" + (f" +- {error:.3f}" if error is not None else "") + " nats per image"
