"""The plugin that docs/targets.md builds: typed, small, and run with the settings of the page."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from core.targets.watching import Watching
from manual_pages import DOCS, ROOT, files_of, section

PAGE = DOCS / "targets.md"
FILES = files_of(PAGE)


def test_the_watcher_is_small() -> None:
    assert len(FILES["pollctl_watch.py"].splitlines()) <= 70


def test_its_package_announces_it() -> None:
    project = tomllib.loads(FILES["pyproject.toml"])
    assert project["project"]["entry-points"]["pollctl"] == {"watch": "pollctl_watch:plugin"}


def test_the_settings_of_the_page_watch_a_price(watch: Watching) -> None:
    text = FILES["pollctl.toml"].replace("json://127.0.0.1:8901", watch.people.json_url)
    (watch.place.folder / "pollctl.toml").write_text(text.replace("http://127.0.0.1:8902", watch.pages.url))
    watch.pages_are(bicycle="<body><h1>Bicycle</h1> <p class='price'>900\n EUR</p></body>")
    watch.run()
    watch.pages_are(bicycle="<body><h1>The bicycle</h1> <p class='price'>800 EUR</p></body>")
    watch.run(minutes=15)
    (message,) = watch.people.messages
    assert (message["title"], message["message"].splitlines()[-2]) == ("bicycle changed", "+800 EUR")


def test_the_commands_of_the_page_are_those_that_there_are(watch: Watching) -> None:
    watch.settings()
    said = watch.do("--help")
    named = {words.split()[2] for words in section(PAGE, "Commands").split("`") if words.startswith("pollctl watch ")}
    shown = {line.split()[0] for line in said.partition("Commands:")[2].splitlines() if line.strip()}
    assert shown == named | {"resume"}


@pytest.mark.slow
def test_strict_types_see_through_it(tmp_path: Path) -> None:
    (tmp_path / "pollctl_watch.py").write_text(FILES["pollctl_watch.py"])
    options = ["--strict", "--no-incremental", "--config-file", str(ROOT / "pyproject.toml")]
    wrong = FILES["pollctl_watch.py"].replace("before.splitlines()", "before.split_lines()")
    (tmp_path / "wrong.py").write_text(wrong.replace("Change(now, [", "Change(1, ["))
    for name, code in (("pollctl_watch.py", 0), ("wrong.py", 1)):
        checked = [sys.executable, "-m", "mypy", *options, str(tmp_path / name)]
        done = subprocess.run(checked, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code, done.stdout
    assert "split_lines" in done.stdout
    assert "Change" in done.stdout
