"""What every plugin keeps, and that it stands on public names alone."""

import ast
from pathlib import Path

from pages import URL, settings

import pollctl_watch
from pollctl.testing import HEAVY, Bench, conformance, imports_of

SETTINGS = settings('select = ".price"')


def changed(bench: Bench) -> None:
    bench.settings(SETTINGS).answer(URL, '<p class="price">899 €</p>').run()
    bench.answer(URL, '<p class="price">799 €</p>').at("+5m")


test_conformance = conformance("watch", changed)


def test_it_imports_no_library_before_a_page_is_read() -> None:
    assert not imports_of("pollctl_watch") & {"lxml", "cssselect", "jmespath", "pypdf", "yaml", *HEAVY}


def test_it_is_built_on_public_names_of_pollctl_alone() -> None:
    public = {"pollctl", *(f"pollctl.{name}" for name in ("targets", "testing", "fakes", "demo", "sql"))}
    rooms = Path(pollctl_watch.__file__).parent.rglob("*.py")
    nodes = [node for room in rooms for node in ast.walk(ast.parse(room.read_text()))]
    imported = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in imported if name.partition(".")[0] == "pollctl"} <= public
