"""Is everything that a run folder holds what was written, and does it agree?

  npae verify runs/vae-digits
  npae verify runs/vae-digits --json

Checks the configuration, the environment, every line of the history, both checkpoints with their checksums, the best weights, the steps
that the guard stored, and the pictures. Nothing is changed. Exit status 1 if anything is damaged; the line says what puts it right.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from npae.cli.screen import show, table_of
from npae.training.verify import BAD, verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look at everything, print. Exit status 1 if anything is bad."""
    findings = verify(arguments.run)
    bad = [finding for finding in findings if finding.state == BAD]
    if arguments.json:
        content = {"run": str(arguments.run), "whole": not bad, "findings": [dataclasses.asdict(finding) for finding in findings]}
        print(json.dumps(content, indent=1))
    else:
        table = table_of("file", "", "")
        for finding in findings:
            table.add_row(finding.file, finding.state, finding.says)
        show(table, f"{arguments.run}: {len(bad)} of {len(findings)} damaged" if bad else f"{arguments.run}: whole, {len(findings)} checks")
    return 1 if bad else 0
