"""The plugin that docs/tutorial.md builds, made and run as the page says (authors.md, rule 23)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from manual_pages import DOCS, blocks, command_lines, files_of
from place import Place

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

pytestmark = pytest.mark.slow

PAGE = DOCS / "tutorial.md"
FILES = files_of(PAGE)
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
        for name, text in FILES.items():
            path = tmp_path / name
            path.parent.mkdir(mode=0o755, exist_ok=True)
            path.write_text(text.replace("http://127.0.0.1:8123", api.url))
        yield Place(tmp_path)


def test_its_own_code_is_short() -> None:
    code = [line for line in FILES["plugins/spring.py"].splitlines() if line.strip()]
    assert len(code) < 40


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
    package = place.folder / "pollctl-spring/pollctl_spring"
    assert {"model.py", "client.py", "decide.py"} <= {path.name for path in package.iterdir()}
