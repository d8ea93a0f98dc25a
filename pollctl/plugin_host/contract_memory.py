"""That a plugin keeps the contract, judged once for each state of its files and remembered in the database.

Judging takes as long as importing the plugin, and only its files can change what comes of it. The table is called ``purity``, as
once that was all that was judged.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pollctl
from pollctl.plugin_host.registration import broken
from pollctl.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.plugin_host.loader import Plugin

EDITION = 2
"""Of what is judged: what an earlier one found right is judged again."""
_Stamps = Mapping[str, list[int]]
"""Of each file the moment of its last change, in ns, and its size: what Python judges its byte code by, too."""


def require_contract(plugin: Plugin, db: Database) -> None:
    """Hold the plugin against the contract, as ``pollctl check`` does, unless these files are known.

    Args:
        plugin: the plugin.
        db: that nothing was found is remembered there, unless it can only be read.

    Raises:
        PluginError: it breaks it; says where, and the remedy.
    """
    if _is_known(plugin, db):
        return
    from pollctl.plugin_host.conformance.contract import judge

    began = time.time_ns()
    problems, files = judge(plugin)
    if problems:
        raise broken(plugin.guests[0], "; ".join(problems))
    stamps = _stamps(files)
    is_settled = all(changed_at < began for changed_at, _ in stamps.values())
    if is_settled and not db.execute("PRAGMA query_only").fetchone()[0]:
        _remember(plugin, db, stamps)


def _is_known(plugin: Plugin, db: Database) -> bool:
    query = "SELECT files FROM purity WHERE plugin=? AND judged_by=?"
    row = db.execute(query, [plugin.name, _judge(plugin)]).fetchone()
    if row is None:
        return False
    try:
        known: _Stamps = json.loads(row[0])
        return _stamps(map(Path, known)) == known
    except (ValueError, OSError):
        return False


def _remember(plugin: Plugin, db: Database, stamps: _Stamps) -> None:
    with writing(db):
        db.execute(
            "INSERT INTO purity VALUES (?,?,?) "
            "ON CONFLICT (plugin) DO UPDATE SET judged_by=excluded.judged_by, files=excluded.files",
            [plugin.name, _judge(plugin), json.dumps(stamps)],
        )


def _stamps(files: Iterable[Path]) -> _Stamps:
    found = {str(file): file.stat() for file in files}
    return {name: [one.st_mtime_ns, one.st_size] for name, one in found.items()}


def _judge(plugin: Plugin) -> str:
    """Who judges what, besides the files: another pollctl, Python or version of the plugin judges again."""
    python = ".".join(map(str, sys.version_info[:3]))
    entry_point = plugin.found.entry_point.value
    return f"pollctl {pollctl.__version__}, judge {EDITION}, Python {python}, {entry_point} {plugin.found.version}"
