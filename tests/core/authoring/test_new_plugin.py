"""``pollctl new-plugin``: a package whose tests pass, and later changes of its template (authors.md, rule 21)."""

from __future__ import annotations

import resource
import shutil
import tomllib
from pathlib import Path

import pytest
from place import Place
from plugin_package import install, run_in_package

from pollctl.authoring.rendering import TEMPLATES, Origin, read_origin, render
from pollctl.authoring.updating import update
from pollctl.errors import PollctlError

ROOMS = {
    "__init__",
    "model",
    "client",
    "fetch",
    "decide",
    "store",
    "commands",
    "queries",
    "report",
    "metrics",
    "migrations",
    "fake",
    "demo",
}
ORIGIN = Origin("river_level", "plain", 1, "0.1.0")


def processor_seconds() -> float:
    """What all processes that were started here and have ended took, which other processes do not change."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "targets"])
def test_its_tests_types_and_style_are_right_unchanged(tmp_path: Path, kind: str) -> None:
    Place(tmp_path).do("new-plugin", "river-level", *(["--targets"] if kind == "targets" else []))
    folder, site = tmp_path / "pollctl-river-level", tmp_path / "site"
    install(folder, site)
    before = processor_seconds()
    tests = run_in_package(folder, site, "pytest", "-q", "-p", "no:cacheprovider")
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert processor_seconds() - before < 10
    for words in (("mypy", "--no-incremental"), ("ruff", "check", "--no-cache")):
        done = run_in_package(folder, site, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    demo = run_in_package(folder, site, "pollctl", "demo", "river_level")
    assert (demo.returncode, demo.stderr) == (0, "")


@pytest.mark.slow
def test_a_package_has_all_rooms_and_says_what_it_was_made_from(tmp_path: Path) -> None:
    said = Place(tmp_path).do("new-plugin", "river_level", "--directory", "here")
    lines = [line.strip() for line in said.splitlines()]
    assert lines[1:] == [
        "cd here && python3 -m venv .venv && .venv/bin/pip install --upgrade 'pip>=25.1'",
        ".venv/bin/pip install -e . --group dev",
        ".venv/bin/pytest && .venv/bin/pollctl demo river_level",
    ]
    assert lines[1].rpartition("&& ")[2] in (tmp_path / "here/README.md").read_text()
    package = tmp_path / "here/pollctl_river_level"
    assert {path.stem for path in package.glob("*.py")} == ROOMS
    assert {"README.md", "sample.toml", "py.typed"} <= {path.name for path in package.iterdir()}
    assert (tmp_path / "here/.github/workflows/ci.yml").is_file()
    project = tomllib.loads((tmp_path / "here/pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pollctl"] == {"river_level": "pollctl_river_level"}
    assert read_origin(tmp_path / "here").name == "river_level"


def test_what_cannot_be_made_is_said_before_anything_is_written(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for words, why in (
        ([], "Missing argument 'NAME'"),
        (["status"], "the name 'status' is taken by a command of pollctl"),
        (["latency"], "the name 'latency' is taken by the plugin of pollctl that is installed here"),
        (["soc-sections"], "take another name"),
        (["9lives"], "9lives"),
        (["--update", "river"], "--update takes neither NAME nor --targets"),
        (["--update"], "is this the folder of a package that `new-plugin` made?"),
    ):
        place.do("new-plugin", *words, code=2)
        assert why in place.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pollctl-river").mkdir()
    (tmp_path / "pollctl-river/mine.txt").write_text("mine")
    place = Place(tmp_path)
    place.do("new-plugin", "river", code=2)
    assert "is there already, and not an empty folder" in place.stderr
    assert [path.name for path in (tmp_path / "pollctl-river").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("target", ["loop", "gone"])
def test_a_link_that_leads_nowhere_is_left_alone(tmp_path: Path, target: str) -> None:
    (tmp_path / "loop").symlink_to(target)
    place = Place(tmp_path)
    place.do("new-plugin", "river", "--directory", "loop", code=2)
    assert "loop: is there already, and not an empty folder" in place.stderr


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Those there are, and a newer one: with another first line of the rules, another comment at their end, and a new file."""
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES / "1", folder / "1")
    shutil.copytree(TEMPLATES / "1", folder / "2")
    package = folder / "2/plain/pollctl_{{name}}"
    rules = package / "decide.py.jinja"
    rules.write_text(rules.read_text().replace('"""The rules, pure:', '"""The rules of {{ name }}, pure:'))
    (package / "notes.md.jinja").write_text("{{ name }}\n")
    return folder


@pytest.mark.slow
def test_an_update_joins_changes_of_the_template_with_those_of_the_author(tmp_path: Path, templates: Path) -> None:
    package = tmp_path / "package"
    render(ORIGIN, package, templates)
    rules, readme = package / "pollctl_river_level/decide.py", package / "README.md"
    rules.write_text(rules.read_text() + "\n# mine\n")
    readme.write_text("mine")
    assert [(one.path, one.what) for one in update(package, templates)] == [
        ("pollctl_river_level/decide.py", "changed"),
        ("pollctl_river_level/notes.md", "new"),
    ]
    text = rules.read_text()
    assert text.startswith('"""The rules of river_level, pure:')
    assert text.endswith("\n# mine\n")
    assert readme.read_text() == "mine"
    assert update(package, templates) == []


@pytest.mark.slow
def test_where_both_have_changed_a_line_both_stand_there_and_what_was_removed_stays_away(
    tmp_path: Path, templates: Path
) -> None:
    package = tmp_path / "package"
    render(ORIGIN, package, templates)
    rules = package / "pollctl_river_level/decide.py"
    rules.write_text(rules.read_text().replace('"""The rules, pure:', '"""My rules:'))
    assert ("pollctl_river_level/decide.py", "conflict") in [(one.path, one.what) for one in update(package, templates)]
    assert "<<<<<<< yours" in rules.read_text()
    other = tmp_path / "other"
    render(ORIGIN, other, templates)
    (other / "pollctl_river_level/notes.md").write_text("river_level\n")  # the same as that of the new template
    (other / "pollctl_river_level/decide.py").unlink()
    assert ("pollctl_river_level/decide.py", "unwanted") in [(one.path, one.what) for one in update(other, templates)]
    assert not (other / "pollctl_river_level/decide.py").exists()


@pytest.mark.slow
def test_an_update_that_is_broken_off_loses_nothing_and_can_be_made_again(
    tmp_path: Path, templates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    render(ORIGIN, package, templates)
    before = contents(package)
    with monkeypatch.context() as patch, pytest.raises(PollctlError, match="needs git"):
        patch.setenv("PATH", str(tmp_path))
        update(package, templates)
    assert contents(package) == before
    for name in ("decide.py", "notes.md"):
        in_the_way = package / f"pollctl_river_level/.{name}.new"
        in_the_way.mkdir()  # it cannot be written
        with pytest.raises(OSError, match=name):
            update(package, templates)
        in_the_way.rmdir()
        assert (contents(package) == before) == (name == "decide.py")
    assert [(one.path, one.what) for one in update(package, templates)] == [("pollctl_river_level/notes.md", "new")]
    assert "The rules of river_level" in (package / "pollctl_river_level/decide.py").read_text()
    assert read_origin(package).template == 2


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_its_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "copier.py").write_text("raise ImportError")
    place = Place(tmp_path, PYTHONPATH=str(tmp_path))
    done = place.spawn("new-plugin", "river")
    assert done.returncode == 1
    assert "pip install 'pollctl[author]'" in done.stderr
