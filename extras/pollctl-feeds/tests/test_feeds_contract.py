"""What every plugin keeps, and that its example stays small enough to be read as one."""

import ast
from collections.abc import Iterator
from pathlib import Path

from channels import URL, rss, settings

import pollctl_feeds
from pollctl.testing import HEAVY, Bench, conformance, imports_of

SETTINGS = settings()


def changed(bench: Bench) -> None:
    bench.settings(SETTINGS).answer(URL, rss("one")).run()
    bench.answer(URL, rss("three", "two", "one")).at("+5m")


test_conformance = conformance("feeds", changed)


def test_it_imports_neither_feedparser_nor_lxml_before_a_feed_is_read() -> None:
    assert not imports_of("pollctl_feeds") & {"feedparser", "lxml", *HEAVY}


def test_its_rules_and_commands_are_less_than_two_hundred_lines_of_code() -> None:
    package = Path(pollctl_feeds.__file__).parent
    rooms = [package / f"{name}.py" for name in ("__init__", "model", "client", "decide", "commands")]
    assert sum(len(set(_lines_of_code(room.read_text()))) for room in rooms) < 200


def _lines_of_code(source: str) -> Iterator[int]:
    """Lines that do something: none of blanks, comments, docstrings and imports."""
    for node in ast.walk(ast.parse(source)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not is_text and not isinstance(node, ast.Import | ast.ImportFrom):
            nested = [one.lineno for one in ast.walk(node) if one is not node and isinstance(one, ast.stmt)]
            yield from range(node.lineno, min([*nested, (node.end_lineno or 0) + 1]))


def test_it_is_built_on_public_names_of_pollctl_alone() -> None:
    public = {"pollctl", *(f"pollctl.{name}" for name in ("targets", "testing", "fakes", "demo"))}
    rooms = Path(pollctl_feeds.__file__).parent.glob("*.py")
    nodes = [node for room in rooms for node in ast.walk(ast.parse(room.read_text()))]
    imported = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in imported if name.partition(".")[0] == "pollctl"} <= public
