"""Each plugin of the catalogue is refused, by load, check or its pass, with file, line and remedy (authors.md, rules 12-17)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from broken_plugins import CATALOGUE, SECRET, Broken
from core.parrot import Parrot
from plugin_package import json_of


def by_door(door: str, *, is_wrapper: bool = False) -> list[str]:
    packages = {name: one for name, one in CATALOGUE.items() if one.modes is None}
    return [name for name, one in packages.items() if (one.door, one.is_wrapper) == (door, is_wrapper)]


def missing(broken: Broken, name: str, message: str) -> list[str]:
    """The words that do not stand in a message."""
    return [words for words in (text.replace("GUEST", name) for text in broken.says) if words not in message]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What ``plugins`` says of those that any load refuses, and ``check`` of those that are judged."""
    parrot = Parrot(tmp_path_factory.mktemp("broken"))
    for name in [*by_door("load"), *by_door("check")]:
        parrot.plugin(name, CATALOGUE[name].named(name))
    found = {row["plugin"]: row["error"] or "" for row in json_of(parrot.call("plugins", "--json"))}
    texts: dict[str, list[str]] = {}
    for row in json_of(parrot.call("check", "--json")):
        if row["level"] == "FAIL":
            texts.setdefault(row["subject"], []).append(row["text"])
    checked = {name: "\n".join(lines) for name, lines in texts.items()}
    return {
        name: found[name] if CATALOGUE[name].door == "load" else checked.get(name, "")
        for name in found
        if name in CATALOGUE
    }


@pytest.mark.parametrize("name", [*by_door("load"), *by_door("check")])
def test_what_is_broken_is_refused_before_it_runs(said: Mapping[str, str], name: str) -> None:
    assert missing(CATALOGUE[name], name, said[name]) == [], said[name]
    assert f"{name}-package 1.2.3" in said[name]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Parrot:
    """A place in which the parrot has made a pass, a table lies that is nobody's, and the others are about to."""
    parrot = Parrot(tmp_path_factory.mktemp("host"))
    names = by_door("pass")
    for name in names:
        parrot.plugin(name, CATALOGUE[name].named(name))
    parrot.settings("[plugins.parrot]", *(f"[plugins.{name}]\n{CATALOGUE[name].section}" for name in names))
    parrot.do("run", "parrot")
    parrot.sql("CREATE TABLE strangers (word TEXT)")
    return parrot


@pytest.mark.parametrize("name", by_door("pass"))
def test_what_it_does_in_a_pass_is_refused_when_it_does_it(host: Parrot, name: str) -> None:
    before = host.sql("SELECT type, name, sql FROM sqlite_master"), host.sql("SELECT * FROM parrot_words")
    report = json_of(host.call("run", name, "--json"))
    message = report["error"]["message"]
    assert report["outcome"] == "failed"
    assert missing(CATALOGUE[name], name, message) == [], message
    assert f"'{name}'" in message
    assert SECRET not in message
    after = host.sql("SELECT type, name, sql FROM sqlite_master"), host.sql("SELECT * FROM parrot_words")
    assert after == before


@pytest.mark.parametrize("name", [*by_door("load", is_wrapper=True), *by_door("pass", is_wrapper=True)])
def test_a_broken_wrapper_is_named_itself(parrot: Parrot, name: str) -> None:
    parrot.plugin("guest", CATALOGUE[name].named("guest"), group="pollctl.wrappers")
    message = parrot.report(code=1)["error"]["message"]
    assert missing(CATALOGUE[name], "guest", message) == [], message


def test_what_is_judged_once_stops_passes_and_plans_too(parrot: Parrot, tmp_path: Path) -> None:
    """authors.md, rule 16: a load refuses what check fails."""
    name = "has_a_default_out_of_bounds"
    parrot.plugin("guest", CATALOGUE[name].named("guest"))
    parrot.settings("[plugins.guest]\nevery = 1")
    for words in ("run", "plan"):
        done = parrot.call(words, "guest")
        assert done.returncode == 1
        assert missing(CATALOGUE[name], "guest", done.stderr) == []


@pytest.mark.parametrize("name", [name for name, one in CATALOGUE.items() if one.modes])
def test_a_broken_file_is_refused_where_it_lies(parrot: Parrot, name: str) -> None:
    """authors.md, rule 22."""
    file_mode, folder_mode = CATALOGUE[name].modes or (0, 0)
    file = parrot.folder / "plugins" / f"{name}.py"
    file.parent.mkdir()
    file.write_text(CATALOGUE[name].source)
    file.chmod(file_mode)
    file.parent.chmod(folder_mode)
    parrot.settings(f'plugins_dir = "plugins"\n[plugins.{name}]')
    message = parrot.call("run", name).stderr
    assert missing(CATALOGUE[name], name, message) == [], message
