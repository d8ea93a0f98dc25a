"""A plugin of targets, the pages that it watches, and the people who hear of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from inbox import Inbox
from manual_pages import DOCS, files_of
from place import Place
from plugin_package import json_of

from pollctl import from_text, to_text
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

WATCH = files_of(DOCS / "targets.md")["pollctl_watch.py"]
"""The watcher of the manual."""

FEEDS = """
from pollctl import Answer
from pollctl.targets import Change, News, Target, TargetPlugin

class Feed(Target, frozen=True, kw_only=True):
    COSMETIC = frozenset({"mood"})
    mood: str = "calm"
    most: int = 20

def read(answer: Answer, feed: Feed) -> list[str]:
    words = answer.body.decode().split()
    if "secret" in words:
        raise KeyError("secret")
    return words

def compare(before: list[str] | None, now: list[str], feed: Feed) -> Change[list[str]]:
    if "bad" in now:
        raise TypeError("what is bad?")
    again = [News(word) for word in now if word.startswith("!") and word not in (before or [])]
    return Change(now, [*again, *(News(word, id=word) for word in now if not word.startswith("!"))])

plugin = TargetPlugin("feeds", Feed, list[str], key="feeds", summary="What is new?", read=read, compare=compare)
"""
"""One whose news has ids: each word of a page; one that begins with an exclamation mark has none, and is news when it comes."""

START = "2026-03-08T12:00:00Z"


class Pages(FakeUpstream):
    """Pages by their path: a text with an ETag, or whatever response they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str | ServerResponse] = {}
        self.asked: list[ServerRequest] = []
        self._lock = threading.Lock()

    def respond(self, request: ServerRequest) -> ServerResponse:
        with self._lock:
            self.asked.append(request)
        page = self.pages[request.path]
        if isinstance(page, ServerResponse):
            return page
        tag = f'"{page}"'
        if request.headers.get("if-none-match") == tag:
            return ServerResponse(304)
        return ServerResponse(body=page.encode(), headers={"ETag": tag} if page.isalnum() else {})

    @property
    def paths(self) -> list[str]:
        """Whatever was asked since this was asked the last time."""
        with self._lock:
            paths = [request.path for request in self.asked]
            self.asked.clear()
        return paths


class Watching:
    """A plugin in a place of its own, at a moment that moves on."""

    def __init__(self, folder: Path, plugin: str, pages: Pages, people: Inbox) -> None:
        self.place = Place(folder)
        self.place.plugin(plugin, WATCH if plugin == "watch" else FEEDS, attribute="plugin")
        self.plugin, self.pages, self.people = plugin, pages, people
        self.key = "watches" if plugin == "watch" else "feeds"
        self.at = from_text(START)

    def settings(self, *targets: str, section: str = "") -> None:
        """Write settings: of each target its lines, with ``/path`` for its address."""
        rows = [f"[[plugins.{self.plugin}.{self.key}]]\n{text}" for text in targets]
        text = "\n".join([f'[plugins.{self.plugin}]\nnotify = ["{self.people.json_url}/all"]\n{section}', *rows])
        self.place.settings(text.replace('"/', f'"{self.pages.url}/'))

    def is_made_of(self, source: str) -> None:
        """Another version of the plugin."""
        (self.place.folder / f"site-{self.plugin}" / f"{self.plugin}.py").write_text(source)

    def pages_are(self, **texts: str | ServerResponse) -> None:
        self.pages.pages.update({f"/{name}": text for name, text in texts.items()})

    def wait(self, **length: float) -> None:
        self.at += timedelta(**length)

    def run(self, **length: float) -> dict[str, Any]:
        """A pass, after some time; answers its report."""
        self.wait(**length)
        report: dict[str, Any] = json_of(self.place.call("run", self.plugin, "--json", now=to_text(self.at)))
        return report

    def is_due(self) -> bool:
        return self.do_plain("due") == f"{self.plugin}\n"

    def do(self, *words: str, code: int = 0) -> str:
        """A command of the plugin."""
        return self.do_plain(self.plugin, *words, code=code)

    def do_plain(self, *words: str, code: int = 0) -> str:
        return self.place.do(*words, now=to_text(self.at), code=code)

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json_of(self.place.call(self.plugin, self.key, "--json", now=to_text(self.at)))
        return found

    def history(self, name: str) -> list[str]:
        rows = json_of(self.place.call(self.plugin, "history", name, "--json", now=to_text(self.at)))
        return [row["text"] for row in rows]

    @property
    def told(self) -> Sequence[str]:
        return self.people.titles


@contextmanager
def watching(folder: Path, plugin: str) -> Iterator[Watching]:
    with Pages() as pages, Inbox() as people:
        yield Watching(folder, plugin, pages, people)
