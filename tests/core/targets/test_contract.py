"""A plugin of targets keeps the contract, with public names alone (authors §1)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from core.targets.watching import FEEDS, Watching
from place import Place

import pollctl
import pollctl.targets
from pollctl.fakes import ServerResponse

FOLDER = Path(pollctl.targets.__file__).parent
PUBLIC = {"pollctl", "pollctl.sql", "pollctl.metrics"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_it_is_built_on_public_names(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pollctl":
            assert node.module in PUBLIC or str(node.module).startswith("pollctl.targets"), node.module
            if node.module == "pollctl":
                assert {name.name for name in node.names} <= {*pollctl.__all__, "targets"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("    import time; time.time()", "reads the clock"),
        ("    print(now)", "print"),
        ("    feed.guess()", "random"),
    ],
    ids=["clock", "prints", "in a method of the target"],
)
def test_what_compares_is_held_against_purity(tmp_path: Path, line: str, why: str) -> None:
    method = "    def guess(self) -> float:\n        import random\n        return random.random()\n\ndef read"
    source = FEEDS.replace("def read", method, 1).replace('    if "bad"', f'{line}\n    if "bad"')
    place = Place(tmp_path)
    place.plugin("feeds", source, attribute="plugin")
    place.settings("[plugins.feeds]")
    place.do("run", "feeds", code=1)
    assert "feeds.py:" in place.stderr
    assert why in place.stderr


def test_one_that_keeps_it_is_fine(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plugin("feeds", FEEDS, attribute="plugin")
    place.settings("[plugins.feeds]")
    place.do("run", "feeds")
    said = place.do("check")
    assert "FAIL" not in said


def test_tokens_and_logins_are_sent_and_never_shown(watch: Watching) -> None:
    address = watch.pages.url.replace("http://", "http://me:S3CRET-login@")
    watch.settings(
        f'url = "{address}/a"\ntoken = "S3CRET-token"\nheaders = {{ Cookie = "S3CRET-cookie" }}\nalert_after = 1',
        section='record = "all"',
    )
    watch.pages_are(a="one")
    watch.run()
    (request,) = watch.pages.asked
    assert request.headers["authorization"] == "Bearer S3CRET-token"
    assert request.headers["cookie"] == "S3CRET-cookie"
    watch.pages_are(a=ServerResponse(500))
    watch.run(minutes=10)
    shown = watch.do("watches") + watch.do_plain("status") + watch.do_plain("metrics") + watch.place.stderr
    rows = [
        watch.place.sql(f"SELECT * FROM {name}")
        for (name,) in watch.place.sql("SELECT name FROM pragma_table_list WHERE type = 'table'")
    ]
    told = [message["title"] + message["message"] for message in watch.people.messages]
    assert len(told) == 1
    assert "S3CRET" not in f"{shown}{rows}{told}"
