"""The contract between the core and a plugin: which hooks there are, when each is called, what goes in and out.

pluggy passes only the arguments that an implementation names. A hook that raises fails its own pass and no other.
Mark implementations with ``pollctl.hookimpl``; a wrapper package (entry-point group ``pollctl.wrappers``) marks its own
with ``pollctl.hookimpl(wrapper=True)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pluggy

from pollctl.api.poller import Poller
from pollctl.api.values import Answer, Drop, Effect, NotNow, Request

if TYPE_CHECKING:
    import click
    from sqlite_utils import Database

    from pollctl.api.report import Section
    from pollctl.api.run import Run

hookspec = pluggy.HookspecMarker("pollctl")
hookimpl = pluggy.HookimplMarker("pollctl")


@hookspec(firstresult=True)
def pollctl_poller() -> Poller:  # type: ignore[empty-body]
    """Say the static facts. Called first, whenever the plugin is loaded; must not touch network, files or database."""


@hookspec(firstresult=True)
def pollctl_fetch(run: Run, db: Database) -> Iterator[Any]:  # type: ignore[empty-body]
    """Ask the upstream, as a generator of batches; each batch is decided and applied in a transaction of its own.

    *db* is read-only. Asking happens through ``run.get_many``, ``run.send`` and ``run.map``, so that the deadline, limits and
    redaction hold. A target that could not be asked is told with ``run.failed``; raising ends the pass as ``failed`` and
    keeps what earlier batches committed.
    """


@hookspec(firstresult=True)
def pollctl_load(db: Database, batch: Any, run: Run) -> Any:
    """Read the state that ``decide`` needs for this batch, inside the transaction that will be written; *db* is read-only."""


@hookspec(firstresult=True)
def pollctl_decide(state: Any, batch: Any, now: datetime, settings: Any) -> Sequence[Any]:  # type: ignore[empty-body]
    """Decide what must change and why: pure, without I/O, clock, randomness or globals. Every decision has a ``reason``."""


@hookspec(firstresult=True)
def pollctl_apply(db: Database, decisions: Sequence[Any], run: Run) -> None:
    """Write the decisions and queue effects with ``run.effect``; the only writer. Must not commit, roll back or set pragmas."""


@hookspec(firstresult=True)
def pollctl_deliver(effect: Effect, run: Run) -> Any:
    """Perform one effect upstream and return its result (JSON or None); called in a worker thread, after the commit.

    Raises:
        DeliveryError: it could not be delivered; later passes try again, unless it is permanent.
    """


@hookspec(firstresult=True)
def pollctl_tell(db: Database, effect: Effect, run: Run) -> NotNow | Drop | None:
    """Have a last look before a message of ``run.tell`` is sent to its recipient; called in a worker thread, *db* is read-only.

    None sends it, ``pollctl.NotNow`` asks again later, ``pollctl.Drop`` settles it unsent.
    """


@hookspec(firstresult=True)
def pollctl_settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Record the result of a delivered effect, in the transaction that marks it delivered. May queue further effects.

    For messages of ``run.tell`` (kind ``tell``) the result is ``"sent"``, ``"no address"`` or ``"dropped: WHY"``; it is called for
    them once more, with None, when one was given up.
    """


@hookspec
def pollctl_commands(group: click.Group) -> None:
    """Add commands to the click group named after the plugin. ``ctx.obj`` is a ``pollctl.PluginContext``."""


@hookspec(firstresult=True)
def pollctl_metrics(db: Database, now: datetime) -> Sequence[Any]:  # type: ignore[empty-body]
    """Answer the plugin's own metric families (``prometheus_client`` core metrics); *db* is read-only."""


@hookspec(firstresult=True)
def pollctl_check(  # type: ignore[empty-body]
    db: Database,
    settings: Any,
    now: datetime,
    is_enabled: bool,  # noqa: FBT001 - pluggy passes names
    send: Callable[[Request], Answer],
) -> Sequence[str]:
    """Answer what ``pollctl check`` should warn of, a line each, such as work that nobody polls; *db* is read-only.

    A plugin that has a section and is not enabled is asked too. *send* makes an exchange with the limits of a pass: one that
    changes nothing, such as whether a key is still taken.
    """


@hookspec(firstresult=True)
def pollctl_status(db: Database, settings: Any, now: datetime, is_enabled: bool) -> str:  # type: ignore[empty-body]  # noqa: FBT001 - pluggy passes names
    """Say in one line what a person should look at, for ``pollctl status``; nothing where there is nothing. *db* is read-only.

    A plugin that has a section and is not enabled is asked too, once it has run.
    """


@hookspec(firstresult=True)
def pollctl_prune(db: Database, now: datetime) -> None:
    """Delete old rows of the plugin's own tables, at the end of each pass, in a transaction of its own.

    *now* lags behind the clock by a day or so: a moment that earlier passes prove, so that a clock which jumped ahead makes no row
    old. Where nothing is proven yet it is not called. What it raises is said on stderr, and the rows stay.
    """


@hookspec(firstresult=True)
def pollctl_report(db: Database, now: datetime, since: datetime) -> Sequence[Section]:  # type: ignore[empty-body]
    """Answer the plugin's own sections of the report, about the time from *since* to *now*; *db* is read-only."""


@hookspec(firstresult=True)
def pollctl_private() -> Mapping[str, Mapping[str, bool]]:  # type: ignore[empty-body]
    """Say of the columns of the plugin's tables, by table and name, whether they are private: ``{table: {column: bool}}``.

    Private ones read NULL in ``pollctl web``, whatever is asked: tokens, addresses of people, payloads. All that can hold text must
    be named; what is not reads NULL too, and a table that is not named cannot be read. ``pollctl.sql.columns`` writes it shortly.
    """


@hookspec(firstresult=True)
def pollctl_queries() -> Mapping[str, tuple[str, str]]:  # type: ignore[empty-body]
    """Name what is worth asking of the plugin's tables in ``pollctl web``: ``{name: (title, sql)}``, each one SELECT."""


REQUIRED = ("pollctl_poller", "pollctl_fetch", "pollctl_decide", "pollctl_apply")
