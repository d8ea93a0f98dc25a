"""Effects: whatever changes Marketing Cloud. Each looks before it acts, so a repeat after a crash does nothing twice."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from pollctl import DeliveryError, Effect, Run
from pollctl_shell_query.client import operations as partner
from pollctl_shell_query.client.errors import UpstreamError, scrubbed
from pollctl_shell_query.client.session import Desk
from pollctl_shell_query.model.decisions import Hold, Token
from pollctl_shell_query.store import load as store
from pollctl_shell_query.store.load import ToStart


class Done(Struct, frozen=True, kw_only=True):
    """What became of an effect.

    Attributes:
        outcome: ``skipped``: the run was cancelled before. ``postponed``: it was not asked for, as there was no token, or the
            upstream wants no request now; the run waits again.
        may_exist: whether a definition may be upstream that nobody needs.
        token, holds: what later passes must know.
    """

    outcome: Literal["started", "failed", "skipped", "postponed", "deleted"]
    object_id: str | None = None
    task_id: str | None = None
    message: str = ""
    may_exist: bool = False
    token: Token | None = None
    holds: list[Hold] = []


def deliver(effect: Effect, run: Run) -> Done:
    """Start a run, or delete what one left upstream.

    Raises:
        DeliveryError: it did not come about; tried again unless the upstream refuses it for good.
    """
    desk = Desk.of(run)
    with run.reading() as db:
        known = store.to_start(db, effect.payload.get("run", ""))
        desk.remember(store.token(db))
    try:
        if effect.kind == "start":
            return _noted(desk, start(desk, effect, run, known))
        _delete(desk, effect, known)
    except UpstreamError as trouble:
        words = scrubbed(str(trouble), known.sql if known else None)
        raise DeliveryError(
            words,
            retry_after=trouble.retry_after_s,
            permanent=trouble.kind == "rejected",
            uncertain=trouble.kind == "transient",
        ) from None
    return _noted(desk, Done(outcome="deleted"))


def start(desk: Desk, effect: Effect, run: Run, known: ToStart | None) -> Done:
    """Create what a run needs unless it is there, and start it; a refusal for good is an outcome, not a failed delivery.

    Raises:
        UpstreamError: it is worth another try.
    """
    if known is None or known.status != "queued":
        return Done(outcome="skipped", may_exist=effect.attempt > 1)
    object_id = None
    try:
        _ensure_target(desk, known)
        object_id = partner.find_definition(desk, known.customer_key) or _create(desk, known)
        if _is_cancelled(run, known.run_id):
            return Done(outcome="skipped", object_id=object_id)
        return Done(outcome="started", object_id=object_id, task_id=partner.start(desk, object_id))
    except UpstreamError as trouble:
        if trouble.kind == "token":
            run.failed("token endpoint", str(trouble))
        if trouble.kind in ("token", "held"):
            return Done(outcome="postponed", object_id=object_id, may_exist=effect.attempt > 1)
        if trouble.kind not in ("rejected", "auth"):
            raise
        message = "auth_expired" if trouble.kind == "auth" else scrubbed(str(trouble), known.sql)
        return Done(outcome="failed", object_id=object_id, message=message, may_exist=True)


def _ensure_target(desk: Desk, known: ToStart) -> None:
    if known.fields and not partner.find_target(desk, known.target):
        partner.create_target(desk, known.target, known.target, known.fields)


def _create(desk: Desk, known: ToStart) -> str:
    name = f"{known.name} {known.customer_key}" if known.name else known.customer_key
    wanted = partner.Wanted(name, known.customer_key, known.sql, known.target, known.update_type)
    return partner.create_definition(desk, wanted)


def _is_cancelled(run: Run, run_id: str) -> bool:
    with run.reading() as db:
        known = store.to_start(db, run_id)
    return known is None or known.status != "queued"


def _delete(desk: Desk, effect: Effect, known: ToStart | None) -> None:
    """Delete what an effect names; what is gone already, by an earlier try whose result was lost, is as good."""
    if effect.kind == "delete_target":
        if known is not None:
            _delete_target(desk, known.target)
        return
    customer_key = known.customer_key if known else effect.payload["customer_key"]
    object_id = known.object_id if known else effect.payload["object_id"]
    if object_id is None:
        object_id = partner.find_definition(desk, customer_key)
    if object_id is None:
        return
    try:
        partner.delete_definition(desk, object_id)
    except UpstreamError as trouble:
        if trouble.kind != "rejected" or partner.find_definition(desk, customer_key) is not None:
            raise


def _delete_target(desk: Desk, target: str) -> None:
    try:
        partner.delete_target(desk, target)
    except UpstreamError as trouble:
        if trouble.kind != "rejected" or partner.find_target(desk, target):
            raise


def _noted(desk: Desk, done: Done) -> Done:
    token, holds = desk.take_unsaved()
    return replace(done, token=token, holds=holds)
