r"""A bench: one plugin on a database of its own, with a clock that stands, a fake internet and an inbox.

```python
def test_the_crew_is_told_when_the_river_rises(bench):
    gauge = bench("gauge", 'url = "https://gauge.example.net/level"\ntell = "json://inbox/crew"')
    gauge.answer("https://gauge.example.net/level", {"cm": 300})
    result = gauge.at("09:01").run()
    assert result.outcome == "ok"
    assert [message.title for message in result.messages] == ["High water"]
```
"""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self
from warnings import WarningMessage

from msgspec import Struct

from pollctl import clock
from pollctl.errors import PollctlError
from pollctl.fakes import ServerRequest, ServerResponse
from pollctl.plugin_host.discovery import Found, find
from pollctl.plugin_host.loader import guest_of, load
from pollctl.testing import in_process
from pollctl.testing.internet import Internet, Message, answered, write_authority
from pollctl.testing.killing import Passes, printed_report
from pollctl.testing.ledger import Ledger
from pollctl.testing.mail_server import MailServer, text_of
from pollctl.testing.result import QueuedEffect, Result, Row
from pollctl.testing.sections import settings_file

FIRST_MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_TIME_OF_DAY = re.compile(r"\d\d:\d\d(:\d\d)?")
_NO_PASS: Mapping[str, Any] = {"outcome": "", "run_id": ""}


class Bench:
    """One plugin, ready for passes; use it with ``with``, or through the fixture ``bench``.

    Passes run in this process, on a real database, with the clock standing at one moment. They reach every host of the internet in
    a fake of it, which answers as `answer` says; addresses on the loopback device lead to whatever serves there.

    Args:
        plugin: its name.
        settings: a struct of the plugin's settings, or TOML: its section without the header, or a whole file.
        folder: an empty one, for settings and database; one is made for the time of the block if none is given.
        env: environment variables, besides where programs are found.
        plugins_dir: the folder in which the plugin lies as one file, if it is not installed.

    Attributes:
        now: the moment at which the clock stands.
    """

    def __init__(
        self,
        plugin: str,
        settings: Struct | str = "",
        *,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
        plugins_dir: Path | None = None,
    ) -> None:
        self.plugin = plugin.replace("-", "_")
        self.now = FIRST_MOMENT
        self._mail: MailServer | None = None
        self._env = dict(env or {})
        self._plugins_dir = plugins_dir.absolute() if plugins_dir else None
        with ExitStack() as until_closed:
            self.folder = folder or Path(until_closed.enter_context(tempfile.TemporaryDirectory()))
            self.settings(settings)
            self._ledger = Ledger(self.folder / "pollctl.db", self.plugin)
            self._internet = until_closed.enter_context(Internet())
            self._until_closed = until_closed.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._until_closed.close()

    def settings(self, settings: Struct | str) -> Self:
        """Other settings from now on, in the same forms."""
        core: dict[str, Any] = {"database": "pollctl.db", "http": {"trust_env": True, "engine": "python"}}
        if self._plugins_dir:
            core["plugins_dir"] = str(self._plugins_dir)
        if write_authority(self.folder / "authority.pem"):
            core["http"]["ca_file"] = str(self.folder / "authority.pem")
        path = self.folder / "pollctl.toml"
        path.write_text(settings_file(self.plugin, settings, core), encoding="utf-8")
        path.chmod(0o600)
        return self

    def at(self, moment: str | datetime) -> Self:
        """Set the clock.

        Args:
            moment: a time of the present day in UTC (``09:01``), a distance (``+10m``), or a moment with its zone.

        Raises:
            ValueError: it is none of these.
        """
        if isinstance(moment, datetime):
            moment = clock.to_text(moment)
        if _TIME_OF_DAY.fullmatch(moment):
            moment = f"{self.now:%Y-%m-%d}T{moment}Z"
        self.now = clock.from_person(moment, self.now)
        return self

    def answer(
        self,
        url: str,
        content: object = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        delay: float = 0,
        is_lost: bool = False,
    ) -> Self:
        """Let *url* answer so from now on, to any method.

        Args:
            url: a whole address, of any host; without a query it holds for every query. What nothing is said about answers 501.
            content: bytes, text (sent as HTML), a ``ServerResponse`` of `pollctl.fakes` or a function that makes one from a
                ``ServerRequest``; anything else is sent as JSON.
            status: of the answer.
            headers: besides type and length.
            delay: seconds before it is sent.
            is_lost: the connection is closed instead.
        """
        self._internet.answer(url, answered(content, status, headers or {}, delay, is_lost=is_lost))
        return self

    def answer_all(self, answer: Callable[[ServerRequest], ServerResponse]) -> Self:
        """Let a function answer every request from now on, whatever its address; those to the inbox arrive all the same."""
        self._internet.always = answer
        return self

    def mail_address(self, person: str = "ann@example.net") -> str:
        """An Apprise address that mails to *person*; what arrives is among the messages. It needs ``pollctl[testing]``."""
        if self._mail is None:
            self._mail = self._until_closed.enter_context(MailServer())
        return self._mail.address_of(person)

    @property
    def messages(self) -> list[Message]:
        """Everything that arrived: at the host ``inbox`` (``json://inbox/WHO``) first, then mails."""
        return self._messages_after(0, 0)

    def _messages_after(self, hooked: int, mailed: int) -> list[Message]:
        """All but the first so many that came to web hooks, and the first so many mails."""
        mails = self._mail.mails[mailed:] if self._mail else []
        return [
            *self._internet.messages[hooked:],
            *(Message(to=str(mail["To"]), title=str(mail["Subject"]), body=text_of(mail)) for mail in mails),
        ]

    def _arriving(self) -> Callable[[], list[Message]]:
        """What tells the messages that arrived from now on."""
        return partial(self._messages_after, len(self._internet.messages), len(self._mail.mails) if self._mail else 0)

    @property
    def requests(self) -> list[ServerRequest]:
        """Everything that was asked of the fake internet, the inbox aside; addresses are whole."""
        return self._internet.requests

    @property
    def unanswered(self) -> list[str]:
        """What was asked of it though no `answer` had said anything about it."""
        return self._internet.unanswered

    def run(self) -> Result:
        """One pass, as ``pollctl run NAME`` makes it."""
        arrived = self._arriving()
        done = self._done("run", self.plugin, "--json")
        return self._result(printed_report(done.stdout) or _NO_PASS, arrived(), done.stderr)

    def kill_at(self, point: int) -> Result:
        """One pass in a process of its own, killed right before its commit or request number *point*, from 1.

        The outcome is ``killed``, and *error* says before what, unless the pass ended earlier.
        """
        arrived, runs = self._arriving(), self._ledger.run_ids()
        ended = self.passes.run(["run", self.plugin, "--json"], self.folder, self.environment(), point)
        report = {"outcome": "", **(printed_report(ended.stdout) or {})}
        if ended.is_killed:
            report |= {"outcome": "killed", "error": {"message": ended.before}}
        report["run_id"] = next((one for one in self._ledger.run_ids() if one not in runs), "")
        return self._result(report, arrived(), ended.stderr)

    def crashes(self, *, ignore: Collection[str] = (), begin: Callable[[], None] | None = None) -> list[str]:
        """Kill the next pass before each of its commits and requests, and make it again: what then differs from an undisturbed one.

        Compared are the rows of the plugin's tables, its effects, and what was sent (at least once is what is promised), after one
        more pass, in which what was cut off is delivered. The bench stands as before at the end.

        Args:
            ignore: what may differ: tables (``gauge_polls``), or columns (``gauge_polls.id``).
            begin: called before each try: lets an upstream with a memory forget.

        Returns:
            A sentence for each kill that changes the end; none if the plugin is idempotent.
        """
        from pollctl.testing.crashes import crashes

        return crashes(self, ignore, begin)

    def forget(self) -> Self:
        """Forget what was sent and asked so far; answers and database stay."""
        self._internet.forget()
        if self._mail:
            self._mail.mails.clear()
        return self

    def plan(self) -> Result:
        """What a pass would decide, as ``pollctl plan NAME`` finds out; decisions are tables with their ``type``."""
        done = self._done("plan", self.plugin, "--json")
        report = printed_report(done.stdout) or _NO_PASS
        rows = self.rows()
        decisions = report.get("decisions", [])
        return Result(outcome=report["outcome"], decisions=decisions, rows=rows, error=_error(report), log=done.stderr)

    def command(self, *words: str, code: int | None = 0) -> str:
        """What any command of pollctl prints to stdout, such as ``command("gauge", "readings")``.

        Raises:
            AssertionError: it exits with another code; with None it may exit with any.
        """
        done = self._done(*words)
        if code is not None and done.returncode != code:
            raise AssertionError(f"pollctl {' '.join(words)} exits with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows that answer a statement on the bench's database; what it writes stays."""
        return self._ledger.query(statement, values)

    def rows(self) -> dict[str, list[Row]]:
        """All rows of each table of the plugin."""
        return self._ledger.rows()

    def effects(self) -> list[QueuedEffect]:
        """All effects of the plugin."""
        return self._ledger.effects()

    def environment(self) -> dict[str, str]:
        """That of a pass."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        ours = {"HOME": str(self.folder), "LANG": "C.UTF-8", clock.VARIABLE: clock.to_text(self.now)}
        return {**kept, **ours, **self._internet.environment(), **self._env}

    def _done(self, *words: str) -> in_process.Done:
        return in_process.run(self.folder, self.environment(), words, self._warn)

    def _warn(self, told: WarningMessage) -> None:
        """Tell the test what the plugin uses that will go; what libraries use is theirs to change."""
        is_own = False
        with in_process.surroundings(self.folder, self.environment()), suppress(PollctlError):
            is_own = guest_of(self._found()).owns(told.filename)
        if is_own:
            warnings.warn_explicit(told.message, told.category, told.filename, told.lineno)

    def _found(self) -> Found:
        return find(self.plugin, self._plugins_dir)

    @cached_property
    def passes(self) -> Passes:
        """What makes passes in processes of their own."""
        passes = Passes(self.plugin, self.environment())
        self._until_closed.callback(passes.close)
        return passes

    def _decisions(self, run_id: str) -> list[Any]:
        kind: Any = Any
        with in_process.surroundings(self.folder, self.environment()), suppress(PollctlError):
            kind = load(self._found()).poller.decision  # the pass says what is wrong
        return self._ledger.decisions(run_id, kind)

    def _result(self, report: Mapping[str, Any], messages: Sequence[Message], log: str) -> Result:
        run_id = report["run_id"]
        return Result(
            outcome=report["outcome"],
            decisions=self._decisions(run_id) if run_id else [],
            effects=self._ledger.effects(run_id) if run_id else [],
            messages=messages,
            rows=self.rows(),
            stats=report.get("stats", {}),
            error=_error(report),
            log=log,
        )


def _error(report: Mapping[str, Any]) -> str:
    return str((report.get("error") or {}).get("message", ""))
