"""The plugin that docs/tutorial.md builds, made and run as the page says (authors.md, rule 23)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from manual_pages import DOCS, blocks, command_lines, files_of
from place import Place
from plugin_package import install, run_in_package

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

pytestmark = pytest.mark.slow

PAGE = DOCS / "tutorial.md"
FILES = files_of(PAGE)
PACKAGE = "pollctl-spring/"
COMMANDS = {block.mark: list(command_lines(block)) for block in blocks(PAGE) if block.mark}


class Folder(FakeUpstream):
    """Serves the files of a folder, as ``http.server`` does."""

    folder = Path()

    def respond(self, request: ServerRequest) -> ServerResponse:
        return ServerResponse(body=(self.folder / request.path.lstrip("/")).read_bytes())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The files of the page, in a folder; its API is served on a free port."""
    with Folder() as api:
        api.folder = tmp_path / "api"
        for name in FILES:
            if not name.startswith(PACKAGE):
                write(tmp_path, name, api.url)
        yield Place(tmp_path)


def write(folder: Path, name: str, url: str) -> None:
    path = folder / name
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.write_text(FILES[name].replace("http://127.0.0.1:8123", url))


def test_its_own_code_is_short_tests_included() -> None:
    code = [line for name in ("plugins/spring.py", "tests/test_spring.py") for line in FILES[name].splitlines()]
    assert len(list(filter(str.strip, code))) < 40


def test_the_commands_of_the_page_do_what_it_says(place: Place) -> None:
    check, plan, run, listing = COMMANDS["first pass"]
    assert "spring.py, enabled" in place.do(*check)
    place.do(*plan)
    assert "ok" in place.do(*run, now="2026-03-02T09:00:00Z")
    assert "Karst" in place.do(*listing, now="2026-03-02T09:00:01Z")
    (place.folder / "api/karst.json").write_text('{"level": 3.4}')
    run, history = COMMANDS["second pass"]
    place.do(*run, now="2026-03-02T09:01:00Z")
    assert "Karst rose to 3.4 m" in place.do(*history, now="2026-03-02T09:01:01Z")
    rules = place.folder / "plugins/spring.py"
    rules.write_text(rules.read_text().replace("    has_risen =", "    print(now)\n    has_risen ="))
    said = " ".join(place.do(*check, code=1).split())
    assert "spring.py:23: compare calls print()" in said
    assert "spring.py:23: compare calls print()" in " ".join(PAGE.read_text().split())


def test_the_test_of_the_page_passes(place: Place) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        words, cwd=place.folder, env=place.env, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout


def test_it_becomes_a_package(place: Place) -> None:
    [words] = COMMANDS["a package"]
    place.do(*words)
    package, site = place.folder / PACKAGE, place.folder / "site"
    [removing] = [block.text for block in blocks(PAGE) if block.mark == "new tests"]
    subprocess.run(removing, shell=True, cwd=place.folder, check=True)
    for name in FILES:
        if name.startswith(PACKAGE):
            assert (place.folder / name).is_file() or "/tests/" in name, "the page changes what is there"
            write(place.folder, name, "")
    install(package, site)
    for module in (
        ("pytest", "-q", "-p", "no:cacheprovider"),
        ("mypy", "--no-incremental"),
        ("ruff", "check", "--no-cache"),
    ):
        done = run_in_package(package, site, *module)
        assert done.returncode == 0, done.stdout + done.stderr
    done = run_in_package(package, site, "pollctl", "demo", "spring")
    assert (done.returncode, done.stderr, "Karst rose to 3.4 m" in done.stdout) == (0, "", True)
