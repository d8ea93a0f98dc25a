"""The hooks of a plugin of targets, thin: each delegates to a room."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec.structs import force_setattr

from pollctl import Answer, Poller, Run, Secret, UsageError, hookimpl, split_addresses
from pollctl.targets import decide, fetch, keys, rows
from pollctl.targets.model import Batch, Decision, Gathered, State, Told
from pollctl.targets.store import Store
from pollctl.targets.target import Change, Target, TargetSettings

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl import Migrations, Section

T = TypeVar("T", bound=Target)
V = TypeVar("V")
K = TypeVar("K")


class _Titled(NamedTuple):
    """The targets of some settings by title: those of a pass are asked for once in each batch."""

    settings: TargetSettings | None
    targets: dict[str, Any]


class TargetPlugin(Generic[T, V]):
    """A plugin made of two functions: the object of an entry point in the group ``pollctl``.

    Args:
        name: of the plugin, that of the entry point.
        target: the keys of one target: a frozen subclass of ``Target``.
        value: the type of what is read; anything that msgspec writes as JSON and reads back.
        kept: the type of what is remembered, where that is another.
        settings: the keys of the section beside the list of targets: a subclass of ``TargetSettings``, as frozen as that.
        key: the list of targets in the section, and the command that lists them.
        summary: one line that says what is polled.
        read: what one answer holds. A ValueError says why there is nothing to compare: this target failed.
        compare: what to remember, and what is news, from what was remembered (None at the first look, whose news nobody is told)
            and what was read; pure.
    """

    def __init__(
        self,
        name: str,
        target: type[T],
        value: type[V] | Any,
        *,
        key: str = "targets",
        summary: str,
        read: Callable[[Answer, T], V],
        compare: Callable[[K | None, V, T], Change[K]],
        kept: type[K] | Any = None,
        settings: type[TargetSettings] = TargetSettings,
    ) -> None:
        self.name, self.key, self.target = name, key, target
        self._summary = summary
        self._rules = decide.Rules(compare, value, kept or value)
        self.reading = fetch.Reading(read, value, compare)
        self.store = Store(name)
        self._settings = _settings_of(key, target, settings)
        self._latest = _Titled(None, {})

    @hookimpl
    def pollctl_poller(self) -> Poller:
        """The static facts."""
        return Poller(
            contract=1,
            summary=self._summary,
            settings=self._settings,
            defaults={"backoff": "0s"},
            migrations=self.migrations,
            batch=Batch,
            state=State,
            decision=Decision,
            decides_with=(self._rules.compare,),
        )

    def migrations(self) -> Migrations:
        """The tables."""
        from pollctl.targets.migrations import migrations_of

        return migrations_of(self.name)

    @hookimpl
    def pollctl_fetch(self, run: Run, db: Database) -> Iterator[Batch]:
        """Ask what is due."""
        yield from fetch.batches(self.store, self.reading, run, db, self.roll(db, run.settings))

    @hookimpl
    def pollctl_load(self, db: Database, batch: Batch, run: Run) -> State:
        """What is known of the targets of a batch."""
        return self.store.load(db, batch, run.now)

    @hookimpl
    def pollctl_decide(self, state: State, batch: Batch, now: datetime, settings: TargetSettings) -> list[Decision]:
        """What to remember, and what is news."""
        added = {title: memory.added for title, memory in state.memories.items() if memory.added is not None}
        return decide.decide(self._rules, state, batch, now, settings, self._by_title(settings, added, {}))

    @hookimpl
    def pollctl_apply(self, db: Database, decisions: Sequence[Decision], run: Run) -> None:
        """Write it, and tell people."""
        titles = {one.title for one in decisions if isinstance(one, Told)}
        titles |= {waiting.title for one in decisions if isinstance(one, Gathered) for waiting in one.waiting}
        self.store.apply(db, decisions, run, self.called(db, run.settings, titles))

    @hookimpl
    def pollctl_prune(self, db: Database, now: datetime) -> None:
        """Delete what is old."""
        self.store.prune(db, now)

    @hookimpl
    def pollctl_commands(self, group: click.Group) -> None:
        """The commands for targets."""
        from pollctl.targets.commands import add_commands

        add_commands(self, group)

    @hookimpl
    def pollctl_status(self, db: Database, settings: TargetSettings) -> str:
        """Which targets fail."""
        from pollctl.targets.queries import notice

        return notice(self.roll(db, settings))

    @hookimpl
    def pollctl_metrics(self, db: Database) -> Sequence[Any]:
        """How many targets there are in which state."""
        from pollctl.targets.metrics import families

        return families(self.name, self.store.rows(db))

    @hookimpl
    def pollctl_report(self, db: Database, now: datetime, since: datetime) -> Sequence[Section]:
        """What changed and what fails."""
        from pollctl.targets.report import sections

        return sections(db, self.name, self._summary, self.store.rows(db), now, since)

    @hookimpl
    def pollctl_private(self) -> Mapping[str, Mapping[str, bool]]:
        """Call private: addresses and definitions of targets, what is remembered of them and what waits to be told."""
        from pollctl.targets.report import privacy

        return privacy(self.name)

    @hookimpl
    def pollctl_queries(self) -> Mapping[str, tuple[str, str]]:
        """Name what fails, what changed, and what became of one target."""
        from pollctl.targets.report import queries

        return queries(self.name)

    @hookimpl
    def pollctl_check(self, db: Database, settings: TargetSettings) -> Sequence[str]:
        """Targets that nobody polls as they are meant."""
        from pollctl.targets.queries import warnings

        return warnings(self.roll(db, settings))

    def of_settings(self, settings: TargetSettings) -> Sequence[T]:
        """The targets in the settings."""
        found: Sequence[T] = getattr(settings, self.key)
        return found

    def check(self, target: T) -> None:
        """Look whether a target can be added; extend it with what a plugin of yours refuses.

        Raises:
            ValueError: it has keys that are secret, or a login in its address: those belong in the settings.
        """
        keys.check_keys(target)

    def add(self, db: Database, target: T, now: datetime) -> None:
        """Add a target in the database, within a transaction, as ``add`` does: for commands that import many.

        Raises:
            ValueError: as of ``check``.
        """
        self.check(target)
        kept = keys.kept(target)
        keys.read_kept(kept, self.target)
        number = self.store.enrol(db, target.title, target.address, kept, target.notify)
        self.store.note(db, number, "added", now)

    def targets(self, db: Database, settings: TargetSettings) -> list[T]:
        """All targets, those of the settings first, without what is known of them."""
        own = {one.title: one for one in self.of_settings(settings)}
        return list((own | keys.readable(self.store.all_added(db), self.target, {}) | own).values())

    def called(self, db: Database, settings: TargetSettings, titles: Iterable[str]) -> Mapping[str, T]:
        """Those targets that are called so, with all of the settings; they name the people whom commands gave."""
        added = self.store.added(db, titles)
        return self._by_title(settings, added, self.store.people(db, added))

    def roll(self, db: Database, settings: TargetSettings) -> rows.Roll[T]:
        """All targets with what is known of each."""
        return rows.roll(self.of_settings(settings), self.target, self.store.rows(db))

    def find(self, db: Database, settings: TargetSettings, name: str) -> rows.Known[T]:
        """The target of that name, with what is known of it.

        Raises:
            UsageError: there is none; names the nearest.
        """
        known = self.roll(db, settings).known
        for one in known:
            if one.title == name:
                return one
        from difflib import get_close_matches

        near = get_close_matches(name, [one.title for one in known], n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else f"; `{self.key}` lists them"
        raise UsageError(f"no target is called {name!r}{hint}")

    def typed(self, given: Mapping[str, Any]) -> T:
        """A target from its keys as a person types them; those that are None or hold nothing are as if not given.

        Raises:
            ValueError: one of them is not valid.
        """
        names = {field.name: field.encode_name for field in msgspec.structs.fields(self.target)}
        typed = {names[key]: value for key, value in given.items() if value is not None and value != ()}
        return keys.read_target(typed, self.target)

    def options(self, *only: str) -> Sequence[Callable[[Any], Any]]:
        """The options of ``add`` for a command of your own, as decorators; all, or only those of some keys."""
        from pollctl.targets.options import options_of

        return options_of(self.target, only)

    def name_argument(self) -> Callable[[Any], Any]:
        """The argument of a command that takes the name of a target, with completion."""
        from pollctl.targets.options import name_argument

        return name_argument(self.store.targets)

    def _by_title(
        self, settings: TargetSettings, added: dict[str, str], people: Mapping[str, tuple[Secret, ...]]
    ) -> Mapping[str, T]:
        if settings is not self._latest.settings:
            self._latest = _Titled(settings, {one.title: one for one in self.of_settings(settings)})
        return ChainMap(self._latest.targets, keys.readable(added, self.target, people))


def _settings_of(key: str, target: type[Target], base: type[TargetSettings]) -> type[TargetSettings]:
    def check(settings: Any) -> None:
        getattr(base, "__post_init__", lambda _: None)(settings)
        force_setattr(settings, "notify", tuple(split_addresses(settings.notify)))
        titles = Counter(one.title for one in getattr(settings, key))
        for title, number in titles.items():
            if number > 1:
                raise ValueError(f"{key}: two are called {title!r}; give each a name of its own")

    rows_of_targets: Any = tuple[target, ...]  # type: ignore[valid-type]
    made: Any = msgspec.defstruct(
        "Settings",
        [(key, rows_of_targets, ())],
        bases=(base,),
        namespace={"__post_init__": check},
        module=target.__module__,
        frozen=True,
        kw_only=True,
    )
    found: type[TargetSettings] = made
    return found
