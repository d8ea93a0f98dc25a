"""The plugin ``sender``, installed in a folder, and the words that it is to tell."""

from __future__ import annotations

from pathlib import Path

from plugin_package import make_plugin_package, write_settings
from sample_plugin import sender_source


def install_sender(folder: Path, source: str = "") -> dict[str, str]:
    """Install the plugin; answers the environment in which processes find it."""
    site = folder / "site"
    site.mkdir()
    return make_plugin_package(site, "sender", source or sender_source()) | {"HOME": str(folder)}


def with_sqlite(env: dict[str, str], version: str) -> dict[str, str]:
    """An environment in which pollctl takes its SQLite for another version, and chooses its journal by that."""
    pretended = Path(__file__).with_name("pretended_sqlite")
    return {**env, "PYTHONPATH": f"{pretended}:{env['PYTHONPATH']}", "PRETENDED_SQLITE": version}


def sender_settings(folder: Path, url: str, words: list[str]) -> None:
    """Settings that let it tell *words* to the sink at *url*."""
    write_settings(folder, "[plugins.sender]", f'sink = "{url}/"', f"words = {words}")
