"""What is seen without a pass: the contract, the sample of the settings, the README, what is imported, the demo."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pollctl.config.settings import load as load_config
from pollctl.errors import PollctlError
from pollctl.plugin_host.conformance.privacy import privacy_warnings
from pollctl.plugin_host.conformance.tables import table_warnings
from pollctl.plugin_host.loader import defaults_of
from pollctl.testing.contract import contract_problems
from pollctl.testing.imports import HEAVY, imports_of
from pollctl.testing.suite.subject import Subject

HEADINGS = ("Question", "Settings", "What it reads", "How it decides", "What it writes", "Example", "Failures")
"""Of every README, in this order."""


def contract(subject: Subject) -> list[str]:
    """Hooks and signatures, facts, values, purity of the source, tables and their prefixes."""
    return contract_problems(subject.name) or [*table_warnings(subject.plugin), *privacy_warnings(subject.plugin)]


def sample(subject: Subject) -> list[str]:
    """sample.toml in the package: it parses, shows every setting, and each with its default."""
    if subject.folder is None:
        return []
    path = subject.folder / "sample.toml"
    if not path.is_file():
        return [f"{path}: there is none; write each setting with its default and a line of meaning"]
    try:
        return list(_sample_problems(subject, path))
    except PollctlError as error:
        return [f"{path}: {error}"]


def _sample_problems(subject: Subject, path: Path) -> Iterator[str]:
    section = tomllib.loads(path.read_text(encoding="utf-8")).get("plugins", {}).get(subject.name)
    if section is None:
        yield f"{path}: it has no section [plugins.{subject.name}]"
        return
    kind: Any = subject.plugin.poller.settings
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in section:
            yield f"{path}: it does not show {field.encode_name}; write it with its default"
    ours, none = load_config(path, {}), load_config(None, {"HOME": str(path.parent / "nowhere")})
    defaults = defaults_of(subject.plugin)
    if any(field.required for field in msgspec.structs.fields(kind)):
        return  # there are no defaults to compare
    shown, meant = (one.settings(subject.name, kind, defaults) for one in (ours, none))
    for field in msgspec.structs.fields(kind):
        one, other = getattr(shown, field.name), getattr(meant, field.name)
        if one != other:
            yield f"{path}: {field.encode_name} is {one!r}, its default {other!r}; write the default"
    if ours.timing_and_limits(subject.name, defaults) != none.timing_and_limits(subject.name, defaults):
        yield f"{path}: a key of the core in it differs from the plugin's default; write the default"


def readme(subject: Subject) -> list[str]:
    """README.md in the package: the same questions as in every other, in the same order."""
    if subject.folder is None:
        return []
    path = subject.folder / "README.md"
    if not path.is_file():
        return [f"{path}: there is none; it has the headings {', '.join(HEADINGS)}"]
    found = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [] if found == [*HEADINGS] else [f"{path}: its headings are {found}; write {', '.join(HEADINGS)}"]


def imports(subject: Subject) -> list[str]:
    """Importing the plugin imports nothing heavy: every pass would pay for it."""
    heavy = sorted(imports_of(subject.module) & HEAVY)
    return [f"importing {subject.module} imports {one}; import it in the function that needs it" for one in heavy]


def demo(subject: Subject) -> list[str]:
    """The demo, if there is one, shows what it says."""
    if subject.announced("pollctl.demos") is None:
        return []
    with subject.arranged() as (bench, _):
        try:
            bench.command("demo", subject.name)
        except AssertionError as error:
            return [str(error)]
    return []
