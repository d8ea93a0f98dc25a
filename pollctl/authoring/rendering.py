"""A package from a template, as copier renders it.

Each version of the template is a folder of its own. One that was released stays as it is: an update needs to know what a package
was made from.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from pollctl.errors import PollctlError, UsageError

TEMPLATES = Path(__file__).with_name("templates")
ANSWERS = ".new-plugin.yml"
"""In a package: what it was made from."""
Kind = Literal["plain", "targets"]


class Origin(Struct, frozen=True):
    """What a package is made from.

    Attributes:
        name: of the plugin, with ``_``.
        kind: which of the template's two packages.
        template: the version of the template.
        contract: the version of pollctl that the package needs at least.
    """

    name: str
    kind: Kind
    template: int
    contract: str


def newest(templates: Path = TEMPLATES) -> int:
    """The version of the newest template."""
    return max(int(folder.name) for folder in templates.iterdir() if folder.name.isdigit())


def render(origin: Origin, folder: Path, templates: Path = TEMPLATES) -> None:
    """Write a package into a folder that is empty or not there.

    Raises:
        PollctlError: the extra ``author`` is not installed, or this pollctl has no such template.
    """
    source = templates / str(origin.template)
    if not source.is_dir():
        raise PollctlError(f"this pollctl has no template {origin.template}; upgrade it")
    copier = _copier()
    answers = {"name": origin.name, "kind": origin.kind, "contract": origin.contract}
    copier.run_copy(str(source), folder, data=answers, defaults=True, quiet=True, overwrite=True)
    write_origin(folder, origin)


def read_origin(folder: Path) -> Origin:
    """What the package in a folder was made from.

    Raises:
        UsageError: it was not made by ``new-plugin``, or what it says of that cannot be read.
    """
    path = folder / ANSWERS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path}: cannot be read; is this the folder of a package that `new-plugin` made?") from None
    said = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith("#"))
    import msgspec

    try:
        return msgspec.convert(said, Origin, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}") from error


def write_origin(folder: Path, origin: Origin) -> None:
    """Have a package say what it was made from."""
    text = (
        "# What this package was made from; `pollctl new-plugin --update` reads it. Keep it beside the code.\n"
        f"name: {origin.name}\nkind: {origin.kind}\ntemplate: {origin.template}\ncontract: {origin.contract}\n"
    )
    (folder / ANSWERS).write_text(text, encoding="utf-8")


def _copier() -> Any:
    try:
        return import_module("copier")
    except ImportError as error:
        raise PollctlError("new-plugin needs copier: pip install 'pollctl[author]'") from error
