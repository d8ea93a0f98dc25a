"""Effects: whatever changes Marketing Cloud. Each looks before it acts, so a repeat after a crash does nothing twice."""

from __future__ import annotations

from msgspec.structs import replace

from pollctl import DeliveryError, Effect, Run
from pollctl_shell_query.client import operations
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession, session_of
from pollctl_shell_query.client.sql_removal import without_sql
from pollctl_shell_query.model import AUTH_FAILURES, DeliveryResult
from pollctl_shell_query.store.load import RunDetails, run_details
from pollctl_shell_query.store.tokens import kept_token


def deliver(effect: Effect, run: Run) -> DeliveryResult:
    """Start a run, or delete what one left upstream.

    Raises:
        DeliveryError: it did not come about; tried again unless the upstream refuses it for good.
    """
    session = session_of(run)
    with run.reading() as db:
        details = run_details(db, effect.payload.get("run", ""))
        session.reuse(kept_token(db))
    try:
        if effect.kind == "start":
            return _with_unsaved(session, start(session, effect, run, details))
        _delete(session, effect, details)
    except UpstreamError as error:
        raise DeliveryError(
            without_sql(str(error), details.sql if details else None),
            retry_after=error.retry_after_s,
            permanent=error.kind == "rejected",
            uncertain=error.kind == "transient",
        ) from None
    return _with_unsaved(session, DeliveryResult(outcome="deleted"))


def start(session: ApiSession, effect: Effect, run: Run, details: RunDetails | None) -> DeliveryResult:
    """Create what a run needs unless it is there, and start it; a refusal for good is an outcome, not a failed delivery.

    Raises:
        UpstreamError: it is worth another try.
    """
    if details is None or details.status != "queued":
        return DeliveryResult(outcome="skipped", may_exist=effect.attempt > 1)
    object_id = None
    try:
        _ensure_target(session, details)
        object_id = operations.find_definition(session, details.customer_key) or _create(session, details)
        if _is_cancelled(run, details.run_id):
            return DeliveryResult(outcome="skipped", object_id=object_id)
        return DeliveryResult(outcome="started", object_id=object_id, task_id=operations.start(session, object_id))
    except UpstreamError as error:
        if error.kind == "token":
            run.failed("token endpoint", str(error))
        if error.kind in ("token", "held"):
            return DeliveryResult(outcome="postponed", object_id=object_id, may_exist=effect.attempt > 1)
        if error.kind not in ("rejected", "auth") or (error.kind == "auth" and effect.attempt < AUTH_FAILURES):
            raise
        message = "auth_expired" if error.kind == "auth" else without_sql(str(error), details.sql)
        return DeliveryResult(outcome="failed", object_id=object_id, message=message, may_exist=True)


def _ensure_target(session: ApiSession, details: RunDetails) -> None:
    if details.columns and not operations.find_target(session, details.target):
        operations.create_target(session, details.target, details.target, details.columns)


def _create(session: ApiSession, details: RunDetails) -> str:
    name = f"{details.name} {details.customer_key}" if details.name else details.customer_key
    new = operations.NewDefinition(name, details.customer_key, details.sql, details.target, details.update_type)
    return operations.create_definition(session, new)


def _is_cancelled(run: Run, run_id: str) -> bool:
    with run.reading() as db:
        details = run_details(db, run_id)
    return details is None or details.status != "queued"


def _delete(session: ApiSession, effect: Effect, details: RunDetails | None) -> None:
    """Delete what an effect names; what is gone already, by an earlier try whose result was lost, is as good."""
    if effect.kind == "delete_target":
        if details is not None:
            _delete_target(session, details.target)
        return
    customer_key = details.customer_key if details else effect.payload["customer_key"]
    object_id = details.object_id if details else effect.payload["object_id"]
    if object_id is None or effect.attempt > 1:
        object_id = operations.find_definition(session, customer_key)
    if object_id is None:
        return
    try:
        operations.delete_definition(session, object_id)
    except UpstreamError as error:
        if error.kind != "rejected" or operations.find_definition(session, customer_key) is not None:
            raise


def _delete_target(session: ApiSession, target: str) -> None:
    try:
        operations.delete_target(session, target)
    except UpstreamError as error:
        if error.kind != "rejected" or operations.find_target(session, target):
            raise


def _with_unsaved(session: ApiSession, result: DeliveryResult) -> DeliveryResult:
    """The result, with what later passes must know of the upstream."""
    token, holds = session.take_unsaved()
    return replace(result, token=token, holds=holds)
