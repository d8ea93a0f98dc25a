"""Calling the hooks of one plugin, each under the rights that it has, and naming the culprit when one raises."""

from __future__ import annotations

import sqlite3
import types
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union, cast, get_args, get_origin

from msgspec import Struct

from pollctl import signals
from pollctl.api.run import Run
from pollctl.api.values import Drop, Effect, NotNow
from pollctl.console.words import enumeration
from pollctl.errors import DeliveryError, MisuseError, PluginError, PollctlError
from pollctl.plugin_host.blame import class_place, function_place, place_of, raised, raised_here, show_traceback
from pollctl.plugin_host.loader import Plugin
from pollctl.plugin_host.moments import naive_in
from pollctl.store.authorizer import AuthorizedConnection, Refuse
from pollctl.store.errors import explained, is_of_the_machine
from pollctl.store.table_rights import Rights, rights_of

if TYPE_CHECKING:
    from sqlite_utils import Database


class Hooks:
    """The hooks of one plugin; what one raises comes out as a PluginError that names plugin, hook and place."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self._relay = plugin.hooks
        facts = plugin.poller
        self._kinds = {
            hook: _structs(kind)
            for hook, kind in (("fetch", facts.batch), ("load", facts.state), ("decide", facts.decision))
        }
        self._rights: tuple[Database, Rights] | None = None

    def batches(self, run: Run, db: Database) -> Generator[Any, None, None]:
        """Yield the batches of ``pollctl_fetch`` until it ends or the pass must; *db* can only be read meanwhile."""
        with (
            self._blamed("fetch", db),
            _connection(db).permit("read"),
            closing(self._opened(self._relay.pollctl_fetch(run=run, db=db))) as batches,
        ):
            is_last = False
            while not is_last:
                try:
                    batch = next(batches)
                except StopIteration:
                    return
                except GeneratorExit as error:  # one that comes at the yield below is our own being closed
                    raise self._blame("fetch", error) from error
                self._check("fetch", [batch], lambda: _line_of(batches))
                # Asked to stop while it was suspended, it is resumed once, to hand over what it has in flight.
                is_last = run.is_stopping
                yield batch

    def load(self, run: Run, db: Database, batch: Any) -> Any:
        """Read the state for one batch."""
        with self._blamed("load", db), _connection(db).permit("read"):
            state = self._relay.pollctl_load(db=db, batch=batch, run=run)
        self._check("load", [] if state is None else [state])
        return state

    def decide(self, state: Any, batch: Any, now: datetime, settings: Any, run: Run | None = None) -> Sequence[Any]:
        """Decide one batch; only wrappers hear of the pass, which is None where one is replayed."""
        with self._blamed("decide"):
            decisions = self._relay.pollctl_decide(state=state, batch=batch, now=now, settings=settings, run=run)
        if not isinstance(decisions, list | tuple):
            raise PluginError(f"{self._culprit('decide')} answered {type(decisions).__name__}, not a list of decisions")
        self._check("decide", decisions)
        return decisions

    def apply(self, run: Run, db: Database, decisions: Sequence[Any]) -> None:
        """Write the decisions of one batch."""
        with self._blamed("apply", db), _connection(db).permit("write", self._refusal(db)):
            self._relay.pollctl_apply(db=db, decisions=decisions, run=run)

    def deliver(self, run: Run, effect: Effect) -> Any:
        """Perform one effect; what it raises is the outbox' to judge."""
        if "pollctl_deliver" not in self.plugin.implemented:
            raise DeliveryError(f"{self._culprit('deliver')} is not implemented, so {effect.kind!r} cannot be sent")
        try:
            return self._relay.pollctl_deliver(effect=effect, run=run)
        except MisuseError as error:
            raise DeliveryError(self._misused("deliver", error), uncertain=True) from error
        except PollctlError as error:
            show_traceback(error, place_of(error, self.plugin.guests))
            raise
        except Exception as error:  # a bug: it may have arrived all the same
            raise DeliveryError(raised_here("deliver", error, self.plugin.guests), uncertain=True) from error

    @property
    def looks_at_messages(self) -> bool:
        """Whether the plugin has a last look before a message goes."""
        return "pollctl_tell" in self.plugin.implemented

    def tell(self, run: Run, db: Database, effect: Effect) -> NotNow | Drop | None:
        """Have a last look at one message; None sends it."""
        with self._blamed("tell", db), _connection(db).permit("read"):
            answer = self._relay.pollctl_tell(db=db, effect=effect, run=run)
        if not isinstance(answer, NotNow | Drop | None):
            raise PluginError(f"{self._culprit('tell')} answered {type(answer).__name__}, not NotNow, Drop or None")
        if isinstance(answer, NotNow) and answer.until.tzinfo is None:
            raise PluginError(f"{self._culprit('tell')} answered {answer.until}, which names no zone")
        return answer

    def settle(self, run: Run, db: Database, effect: Effect, result: Any) -> None:
        """Record the result of one effect."""
        with self._blamed("settle", db), _connection(db).permit("write", self._refusal(db)):
            self._relay.pollctl_settle(db=db, effect=effect, result=result, run=run)

    def _refusal(self, db: Database) -> Refuse:
        """What says which tables it may not write; nothing changes that while a database is open."""
        if self._rights is None or self._rights[0] is not db:
            rights = rights_of(db, self.plugin.name, self.plugin.poller.tables)
            if not self.plugin.poller.migrations:
                rights = rights._replace(own=frozenset())
            self._rights = db, rights
        return self._rights[1].refusal

    def prune(self, db: Database, now: datetime, run: Run) -> None:
        """Have the plugin delete its old rows."""
        if "pollctl_prune" in self.plugin.implemented:
            with self._blamed("prune", db), _connection(db).permit("write", self._refusal(db)):
                self._relay.pollctl_prune(db=db, now=now, run=run)

    @contextmanager
    def _blamed(self, hook: str, db: Database | None = None) -> Iterator[None]:
        try:
            yield
        except MisuseError as error:
            raise PluginError(self._misused(hook, error)) from error
        except PollctlError:
            raise
        except BaseException as error:
            if signals.is_of_a_person(error) or (hook == "fetch" and isinstance(error, GeneratorExit)):
                raise
            raise self._blame(hook, error, _connection(db).refused if db is not None else None) from error

    def _misused(self, hook: str, error: MisuseError) -> str:
        place = place_of(error, self.plugin.guests)
        show_traceback(error, place)
        return f"{place.guest or self.plugin.guests[0]}: {hook}: {error} ({place.text})"

    def _blame(self, hook: str, error: BaseException, refused: str | None = None) -> PollctlError:
        if isinstance(error, sqlite3.Error) and is_of_the_machine(error):
            return explained(error)
        if refused:
            place = place_of(error, self.plugin.guests)
            show_traceback(error, place)
            where = f" ({place.text})" if place.guest else ""
            guest = place.guest or self.plugin.guests[0]
            return PluginError(f"{guest}: {hook} may not do this to the database: {refused}{where}")
        return PluginError(raised(hook, error, self.plugin.guests))

    def _opened(self, batches: Any) -> Generator[Any, None, None]:
        if isinstance(batches, Generator):
            return batches
        raise PluginError(f"{self._culprit('fetch')} answered {type(batches).__name__}, not a generator of batches")

    def _check(self, hook: str, values: Sequence[Any], line: Callable[[], str] = lambda: "") -> None:
        """Refuse values of other types than ``pollctl_poller`` names: they could not be replayed; and moments without a zone.

        Args:
            hook: whose values they are.
            values: what it gave.
            line: where it was when it gave them, if that is known.
        """
        kinds = self._kinds[hook]
        strangers = [type(value).__name__ for value in values if not isinstance(value, kinds)] if kinds else []
        if strangers:
            named = " or ".join(kind.__name__ for kind in kinds)
            raise PluginError(f"{self._culprit(hook)} gave {strangers[0]}, not {named} as pollctl_poller says")
        for value in values:
            for way, moment in naive_in(value):
                function = self._relay.implementations(f"pollctl_{hook}", self.plugin.name)[0]
                kind = f"{type(value).__name__}{way} ({class_place(type(value))})"
                raise PluginError(
                    f"{self._culprit(hook)} gave a moment without a zone ({line() or function_place(function)}): "
                    f"{kind} is {moment}; say datetime(..., tzinfo=UTC), or read it with pollctl.from_text"
                )

    def _culprit(self, hook: str) -> str:
        """Whose answer of a hook is wrong; a wrapper around it may have changed it."""
        around = self._relay.wrappers(f"pollctl_{hook}")
        return f"{self.plugin.guests[0]}: {hook}{f' (with {enumeration(around)} around it)' if around else ''}"


def _line_of(batches: Any) -> str:
    """Where a generator stands, or the one from which it hands on."""
    while isinstance(batches.gi_yieldfrom, types.GeneratorType):
        batches = batches.gi_yieldfrom
    frame = batches.gi_frame
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""


def _connection(db: Database) -> AuthorizedConnection:
    return cast("AuthorizedConnection", db.conn)


def _structs(kind: Any) -> tuple[type, ...]:
    """The structs of a type or union of types; none where it has other members, which only msgspec can judge."""
    members = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return members if all(isinstance(one, type) and issubclass(one, Struct) for one in members) else ()
