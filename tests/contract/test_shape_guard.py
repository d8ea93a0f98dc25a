"""The checks of the rooms refuse what they say they refuse, shown by planted violations."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract import shape

SOUND = {
    **{f"{room}.py": f'"""{room}."""\n' for room in shape.ROOMS},
    "decide.py": "import zlib\nfrom datetime import timedelta\nfrom msgspec.structs import replace\n"
    "from pollctl import to_text\nfrom pollctl_x import model\nfrom pollctl_x.model import Job\nfrom .model import Batch\n",
    "model.py": "from pollctl import Duration\nfrom msgspec import Struct\n",
    "client/__init__.py": "import requests\nfrom pollctl import oauth\nfrom . import xml\n",
    "client/xml.py": "",
    "fake.py": "from pollctl.fakes import FakeUpstream\nimport pollctl.testing\nfrom pollctl import demo, sql\n",
    "client.py": None,
    "partner.wsdl": "<wsdl/>",
    "py.typed": "",
    "sample.toml": "",
    "README.md": "",
}


def plant(folder: Path, **files: str | None) -> Path:
    """A plugin of all rooms with files added, replaced, or (None) left out; ``__`` stands for ``/``, and ``.py`` goes without."""
    planted = {**SOUND, **{f"{name.replace('__', '/')}.py": text for name, text in files.items()}}
    for name, text in planted.items():
        if text is not None:
            path = folder / "pollctl_x" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder / "pollctl_x"


def all_of(folder: Path) -> list[str]:
    checks = (
        *(shape.stray_files, shape.double_rooms, shape.missing_rooms, shape.long_files),
        *(shape.private_imports, shape.foreign_imports_of_rules),
    )
    return [problem for check in checks for problem in check(folder)]


def test_a_plugin_of_all_rooms_is_let_be(tmp_path: Path) -> None:
    (plant(tmp_path) / "__pycache__").mkdir()
    assert all_of(tmp_path / "pollctl_x") == []


@pytest.mark.parametrize("name", ["helpers", "tables", "client_parts__xml", "decisions"])
def test_a_stray_module_is_refused(name: str, tmp_path: Path) -> None:
    (problem,) = all_of(plant(tmp_path, **{name: ""}))
    assert problem.startswith(f"pollctl_x/{name.replace('__', '/')}.py: there is no room")


def test_a_room_that_is_a_file_and_a_package_is_refused(tmp_path: Path) -> None:
    assert all_of(plant(tmp_path, decide__rules="")) == ["pollctl_x/decide: it is a file and a package"]


@pytest.mark.parametrize("name", ["queries", "demo", "client"])
def test_a_room_that_is_missing_is_refused(name: str, tmp_path: Path) -> None:
    files = {"client__init": None, "client__xml": None} if name == "client" else {name: None}
    folder = plant(tmp_path, **files)
    if name == "client":
        for path in (folder / "client").iterdir():
            path.unlink()
    assert all_of(folder) == [f"pollctl_x: it lacks {name}"]


def test_a_missing_readme_is_refused(tmp_path: Path) -> None:
    (plant(tmp_path) / "README.md").unlink()
    assert all_of(tmp_path / "pollctl_x") == ["pollctl_x: it lacks README.md"]


@pytest.mark.parametrize("name", ["store", "client__xml"])
def test_an_over_long_file_is_refused(name: str, tmp_path: Path) -> None:
    assert all_of(plant(tmp_path, **{name: "x = 1\n" * 250})) == []
    (problem,) = all_of(plant(tmp_path, **{name: "x = 1\n" * 251}))
    assert problem.startswith(f"pollctl_x/{name.replace('__', '/')}.py: 251 lines, more than 250")


@pytest.mark.parametrize(
    "line",
    [
        "from pollctl_x import store",
        "from pollctl_x.store import load",
        "import pollctl_x.store",
        "import pollctl_x",
        "from . import store",
        "from .store import load",
        "def f():\n    from pollctl_x.client import ask",
        "from pollctl import sql",
        "from pollctl.clock import now",
        "import sqlite_utils",
        "import requests",
        "import importlib\nimportlib.import_module('pollctl_x.store')",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from pollctl_x.fetch import Round",
        "from pollctl_other import model",
    ],
)
@pytest.mark.parametrize("room", ["decide", "model"])
def test_rules_that_import_another_room_are_refused(line: str, room: str, tmp_path: Path) -> None:
    number = len(line.splitlines())
    problems = shape.foreign_imports_of_rules(plant(tmp_path, **{room: line}))
    assert [problem.split(": ")[0] for problem in problems] == [f"pollctl_x/{room}.py:{number}"]


def test_the_rules_of_a_package_are_looked_at_in_each_part(tmp_path: Path) -> None:
    files = {
        "decide": None,
        "decide__verdicts": "from ..store import load\nfrom ..model import Job\nfrom .parts import x\n",
    }
    (problem,) = shape.foreign_imports_of_rules(plant(tmp_path, **files))
    assert problem.startswith(
        "pollctl_x/decide/verdicts.py:1: decide imports pollctl_x.store.load; it may import decide, model,"
    )


def test_a_model_that_imports_decide_is_refused(tmp_path: Path) -> None:
    (problem,) = shape.foreign_imports_of_rules(plant(tmp_path, model="from pollctl_x.decide import decide"))
    assert "model imports pollctl_x.decide.decide" in problem


@pytest.mark.parametrize(
    "line",
    [
        "import pollctl.store",
        "from pollctl import store",
        "from pollctl.store import database",
        "from pollctl.store.database import open_to_read as o",
        "import pollctl.plugin_host.loader as l",
        "from pollctl import *",
        "from pollctl.testing import audit\nfrom pollctl.testing.audit import audited",
        "def f():\n    from pollctl.http import client",
        "class A:\n    def f(self):\n        import pollctl.config",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from pollctl.passes.context import PassContext",
        "try:\n    pass\nexcept ImportError:\n    from pollctl import clock",
        "from importlib import import_module\nimport_module('pollctl.store')",
        "__import__('pollctl.store')",
    ],
)
@pytest.mark.parametrize("name", ["commands", "client__xml", "__init__"])
def test_an_import_of_what_is_not_public_is_refused(line: str, name: str, tmp_path: Path) -> None:
    file = "__init__" if name == "__init__" else name.replace("__", "/")
    folder = plant(tmp_path)
    (folder / f"{file}.py").write_text(line)
    (problem,) = all_of(folder)
    assert problem.startswith(f"pollctl_x/{file}.py:{len(line.splitlines())}: it imports pollctl")
    assert "public are pollctl, pollctl.demo" in problem
