"""A place where passes are processes: settings, a database, a fake upstream, and a sink for notifications."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import place
from plugin_package import Done
from plugins.soc_sections.world import INDEX, MINUTE, NOON

from pollctl import to_text
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl_soc_sections.fake import FakeSoc


class Notification(NamedTuple):
    """What the sink received: the recipient's path, the idempotency key, and the words."""

    path: str
    key: str
    title: str
    body: str


class Sink(FakeUpstream):
    """A loopback HTTP service that takes what Apprise posts to ``json://``; to be used with ``with``."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[Notification] = []
        self.status = 200

    def contact(self, name: str = "student") -> str:
        return f"{self.json_url}/{name}"

    def respond(self, request: ServerRequest) -> ServerResponse:
        if self.status == 200:
            sent = json.loads(request.body)
            key = request.headers.get("idempotency-key", "")
            self.received.append(Notification(request.address, key, sent["title"], sent["message"]))
        return ServerResponse(self.status)


class Place(place.Place):
    """A settings file, a database, an upstream and a sink; the clock goes on a minute with each pass."""

    def __init__(self, folder: Path, soc: FakeSoc, sink: Sink) -> None:
        super().__init__(folder)
        self.soc, self.sink = soc, sink
        self.minute = 0
        self.configure()

    def configure(self, core: str = "", **settings: object) -> None:
        section = {"base_url": self.soc.url, "campuses": ["NB"], "catalogue_every": "0s", **settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in section.items()]
        (self.folder / "pollctl.toml").write_text(
            f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n[plugins.soc_sections]\n' + "\n".join(lines)
        )

    def env_at(self, now: str) -> dict[str, str]:
        return super().env_at(now or self.at())

    def at(self) -> str:
        return to_text(NOON + self.minute * MINUTE)

    def json(self, *words: str) -> Any:
        return json.loads(self.do(*words, "--json"))

    def soc_sections(self, *words: str, code: int = 0) -> Done:
        done = self.call("soc-sections", *words)
        assert done.returncode == code, done
        return done

    def run(self, code: int = 0) -> Any:
        """One pass, a minute after the last."""
        self.minute += 1
        return json.loads(self.do("run", "soc_sections", "--json", code=code))

    def subscribe(self, *words: str, index: str = INDEX, campus: str = "NB", name: str = "student") -> int:
        done = self.soc_sections(
            "subscribe", index, "--term", "92026", "--campus", campus, "--contact", self.sink.contact(name), *words
        )
        return int(done.stdout)

    def play(self, letters: str, campus: str = "NB") -> None:
        """Run a pass per word: O open, X not but others are, ``[]`` empty, F failure."""
        for letter in letters.replace(",", " ").split():
            self.answer(letter, campus)
            self.run(code=1 if letter == "F" else 0)

    def answer(self, letter: str, campus: str = "NB") -> None:
        self.soc.lasting_faults[campus] = {"[]": "empty", "F": "html"}.get(letter, "none")  # type: ignore[assignment]
        change = self.soc.open if letter == "O" else self.soc.close
        if letter in "OX":
            change(campus, INDEX)

    def status(self, index: str = INDEX, campus: str = "NB") -> str:
        return str(
            self.sql("SELECT status FROM soc_sections WHERE campus = ? AND index_number = ?", [campus, index])[0][0]
        )

    def events(self) -> list[str]:
        return [status for (status,) in self.sql("SELECT status FROM soc_status_events ORDER BY id")]

    def verdicts(self) -> list[str]:
        return [verdict for (verdict,) in self.sql("SELECT verdict FROM soc_polls ORDER BY id")]

    def notified(self, name: str = "student") -> list[Notification]:
        return [each for each in self.sink.received if each.path.startswith(f"/{name}")]
