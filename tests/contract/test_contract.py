"""Every plugin that ships with pollctl keeps the same promises; a third party's tests may say the same of its own."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from contract import shape

from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.loader import load
from pollctl.testing.suite import package
from pollctl.testing.suite.subject import Subject

SHIPPED = sorted(entry.name for entry in entry_points(group="pollctl") if entry.dist and entry.dist.name == "pollctl")
ROOT = Path(__file__).parents[2]


def folder(name: str) -> Path:
    module = load(find(name)).found.entry_point.load()
    return Path(module.__file__).parent


def test_there_are_plugins_to_test() -> None:
    assert "latency" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_it_keeps_the_contract(name: str) -> None:
    assert package.contract(Subject(name, None)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_it_has_the_rooms_that_a_reader_of_another_plugin_expects(name: str) -> None:
    assert shape.missing_rooms(folder(name)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_else_lies_in_it_but_data(name: str) -> None:
    assert shape.stray_files(folder(name)) + shape.double_rooms(folder(name)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_no_file_of_it_is_too_long_to_be_read_at_once(name: str) -> None:
    assert shape.long_files(folder(name)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_its_rules_know_only_its_model_and_plain_values(name: str) -> None:
    assert shape.foreign_imports_of_rules(folder(name)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_it_imports_only_what_is_public_of_pollctl(name: str) -> None:
    assert shape.private_imports(folder(name)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_its_readme_answers_the_same_questions_in_the_same_order(name: str) -> None:
    assert package.readme(Subject(name, None)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_its_sample_parses_shows_every_setting_and_equals_the_defaults(name: str) -> None:
    assert package.sample(Subject(name, None)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_importing_it_imports_nothing_heavy(name: str) -> None:
    assert package.imports(Subject(name, None)) == []


def test_folders_entry_points_and_packages_name_the_same_plugins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    announced = project["project"]["entry-points"]["pollctl"]
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(announced) == SHIPPED
    assert sorted(announced.values()) == sorted(f"pollctl_{name}" for name in announced)
    assert sorted(packages) == sorted(["pollctl", *(f"plugins/{module}" for module in announced.values())])
    if (ROOT / "plugins").is_dir():
        assert sorted(path.name for path in (ROOT / "plugins").iterdir()) == sorted(announced.values())
