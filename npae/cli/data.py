"""List, fetch or locate data sets.

  npae data list                 what has a name, and where it lies
  npae data fetch mnist          download it into the cache, checked by SHA-256
  npae data path mnist           where it lies, for a script

NPAE_DATA_DIR points at a folder of your own copies; NPAE_OFFLINE=1 refuses to download.
"""

from __future__ import annotations

import argparse
import json

from rich.markup import escape

from npae.cli.screen import show, table_of
from npae.data.fetch import fetch
from npae.data.find import cache_folder, entry_of, find, list_catalogue
from npae.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The action, and a name for two of them."""
    parser.add_argument("action", choices=("list", "fetch", "path"))
    parser.add_argument("name", nargs="?", help="a data set, for fetch and path")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    if arguments.action == "list":
        _list(as_json=arguments.json)
        return 0
    if arguments.name is None:
        raise InputError(f"npae data {arguments.action}: which data set? see npae data list")
    entry = entry_of(arguments.name)
    if not entry.files:
        raise InputError(f"'{arguments.name}' is always here ({entry.origin}): there is nothing to fetch and no path")
    if arguments.action == "fetch":
        print(fetch(arguments.name))
        return 0
    where = find(arguments.name)
    if where is None:
        raise InputError(
            f"'{arguments.name}' is not on this machine (looked in NPAE_DATA_DIR and {cache_folder(arguments.name)});"
            f" npae data fetch {arguments.name}"
        )
    print(where)
    return 0


def _list(*, as_json: bool) -> None:
    rows = list_catalogue()
    if as_json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
        return
    table = table_of("name", "shape", "licence", "where")
    for row in rows:
        table.add_row(row.name, row.shape, row.licence, escape(row.where) if row.where else f"not here: npae data fetch {row.name}")
    show(table)
