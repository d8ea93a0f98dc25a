"""watch: has a page changed, and is it what is waited for?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pollctl import Migrations, Run, Section, hookimpl
from pollctl.targets import Batch, Decision, Kept, TargetPlugin
from pollctl_watch.client import check_selectors, read
from pollctl_watch.decide import compare
from pollctl_watch.model import Remembered, Seen, Watch, WatchSettings

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database


class WatchPlugin(TargetPlugin[Watch, Seen]):
    """A plugin of targets that keeps texts to be compared by hand."""

    def migrations(self) -> Migrations:
        """The tables of targets, and one more."""
        from pollctl_watch.migrations import add_to

        return add_to(super().migrations())

    @hookimpl
    def pollctl_fetch(self, run: Run, db: Database) -> Iterator[Batch]:
        """Ask what is due, politely."""
        from pollctl_watch.fetch import PoliteRun

        polite: Any = PoliteRun(run)
        yield from super().pollctl_fetch(polite, db)

    def check(self, watch: Watch) -> None:
        """Look whether a watch can be added.

        Raises:
            ValueError: it has keys that belong in the settings, or its selectors cannot be read.
        """
        super().check(watch)
        check_selectors(watch)

    @hookimpl
    def pollctl_apply(self, db: Database, decisions: Sequence[Decision], run: Run) -> None:
        """Write decisions and the texts that they keep, and let hosts rest that are asked seldom."""
        from pollctl_watch import store
        from pollctl_watch.fetch import asked_hosts

        super().pollctl_apply(db, decisions, run)
        kept = [one for one in decisions if isinstance(one, Kept)]
        store.keep_texts(db, kept, self.called(db, run.settings, [one.look.title for one in kept]), run.now)
        slow = run.once("pollctl_watch.slow", lambda: store.slow_hosts(db, self.of_settings(run.settings)))
        store.hold(slow, asked_hosts(run), run)

    @hookimpl
    def pollctl_commands(self, group: click.Group) -> None:
        """The commands for targets, and those for texts and selectors."""
        from pollctl_watch.commands import add_commands

        super().pollctl_commands(group)
        add_commands(self, group)

    @hookimpl
    def pollctl_private(self) -> Mapping[str, Mapping[str, bool]]:
        """As for all targets; the texts are private too, which may be of pages behind a login."""
        from pollctl.sql import columns

        return {**super().pollctl_private(), "watch_snapshots": columns(shown="at", private="text")}

    @hookimpl
    def pollctl_report(self, db: Database, now: datetime, since: datetime) -> Sequence[Section]:
        """What changed and what fails, and how texts have changed."""
        from pollctl_watch.report import last_differences

        [section] = super().pollctl_report(db, now, since)
        return [replace(section, blocks=(*section.blocks, *last_differences(db, since)))]

    @hookimpl
    def pollctl_check(self, db: Database, settings: Any) -> Sequence[str]:
        """Watches that nobody polls as they are meant, selectors that cannot be read, and a browser that is missing."""
        watches = [one.target for one in self.roll(db, settings).known]
        faults = [*map(_fault_of, self.of_settings(settings)), _missing_browser(watches, settings)]
        return [*super().pollctl_check(db, settings), *filter(None, faults)]


def _fault_of(watch: Watch) -> str:
    """What is wrong with the selectors of a watch; empty if nothing is."""
    try:
        check_selectors(watch)
    except ValueError as error:
        return f"{watch.title}: {error}"
    return ""


def _missing_browser(watches: Sequence[Watch], settings: WatchSettings) -> str:
    """Why watches that need a browser cannot be looked at; empty if they can, or if there are none."""
    shown = [watch.title for watch in watches if watch.browser]
    if not shown:
        return ""
    from pollctl_watch.client.browser import MissingError, executable

    try:
        executable(settings.chromium)
    except MissingError as missing:
        return f"{', '.join(shown)}: {missing}"
    return ""


plugin = WatchPlugin(
    "watch",
    Watch,
    Seen,
    kept=Remembered,
    settings=WatchSettings,
    key="watches",
    summary="Has a page changed?",
    read=read,
    compare=compare,
)
