"""From README.md to a first message: its lines, as a newcomer pastes them into an empty home (scale.md, rule 12).

Two things differ. What it installs was built from this tree and lies in a folder with all that it needs, which takes the place
of the index; and the shop and the address of its lines are a page and an inbox on this machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pytest
from inbox import Inbox
from manual_pages import ROOT, blocks

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

FIVE_MINUTES = 300
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(FIVE_MINUTES),
    pytest.mark.skipif(not (ROOT / "pollctl").is_dir(), reason="needs the whole tree"),
]
[LINES] = (block.text for block in blocks(ROOT / "README.md") if block.mark == "first message")
CHECKOUT, INSTALLED = (
    "pipx install . && pipx inject pollctl ./extras/pollctl-watch",
    "pipx install pollctl && pipx inject pollctl pollctl-watch",
)
SHOP, ADDRESS = "https://shop.example.net", "ntfys://ntfy.example.net/me"
CRONTAB = '#!/bin/sh\nexec cat > "$HOME/crontab"\n'
"""In place of the program that gives lines to cron."""


class Shop(FakeUpstream):
    price = 849

    def respond(self, request: ServerRequest) -> ServerResponse:
        return ServerResponse(200, f"<h1>Bicycle</h1><p class=price>{self.price} €</p>".encode())


class Newcomer:
    """Somebody with an empty home and pipx."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._index = folder / "index"
        programs = folder / "programs"
        for place in (self.home, programs):
            place.mkdir()
        fill(self._index)
        subprocess.run([sys.executable, "-m", "venv", str(folder / "tools")], check=True)
        pip("--python", str(folder / "tools/bin/python"), "install", "--no-index", "-f", str(self._index), "pipx")
        (programs / "pipx").symlink_to(folder / "tools" / "bin" / "pipx")
        (programs / "crontab").write_text(CRONTAB)
        (programs / "crontab").chmod(0o755)
        self._path = f"{self.home}/.local/bin:{programs}:/usr/bin:/bin"

    def paste(self, text: str, **more: str) -> str:
        """Run lines in a shell, each of which must succeed; answers what they printed."""
        env = {"HOME": str(self.home), "PATH": self._path, "LANG": "C.UTF-8"}
        index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self._index)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.home, env=env | index | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def cron(self, later: str) -> None:
        """Do what cron does at a later moment: the lines that it was given, with next to no environment."""
        lines = (self.home / "crontab").read_text().splitlines()
        [command] = [line.split(maxsplit=5)[5] for line in lines if line.startswith("* * * * * ")]
        env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "POLLCTL_NOW": later}
        done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def fill(index: Path) -> None:
    """Put what is built from this tree into a folder, and all that it needs."""
    pip(
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(index),
        str(ROOT),
        str(ROOT / "extras" / "pollctl-watch"),
    )
    try:
        pip("wheel", "--wheel-dir", str(index), *map(str, index.iterdir()), "pipx", "pip")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"what it needs is not to be had here: {error.stderr}")


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        yield inbox


def test_the_lines_of_the_readme_lead_to_a_first_message(newcomer: Newcomer, shop: Shop, inbox: Inbox) -> None:
    places = {CHECKOUT: INSTALLED, SHOP: shop.url, ADDRESS: inbox.url.replace("http://", "json://")}
    assert [words for words in places if words not in LINES] == []
    newcomer.paste(reduce(lambda text, words: text.replace(words, places[words]), places, LINES))
    assert len(inbox.titles) == 1, "that of `notify test`; the first look is silent"

    newcomer.cron("+16m")
    assert len(inbox.titles) == 1, "the price has not changed"
    shop.price = 799
    newcomer.cron("+32m")
    newcomer.cron("+48m")
    assert inbox.titles[1:] == ["bicycle: 849 € → 799 €"]
