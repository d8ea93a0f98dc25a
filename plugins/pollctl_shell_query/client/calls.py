"""The four SOAP operations: called with the session's token, answered by the element that holds what was asked for."""

from __future__ import annotations

from typing import Any

from pollctl import Answer
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession, soap_name
from pollctl_shell_query.client.soap import left_out
from pollctl_shell_query.client.xml import FaultError, MalformedError, content, every, retrieved, text

_UNAUTHORIZED, _OK = 401, 200
_LONGEST_ID = 200


class _RefusedTokenError(Exception):
    """A security fault."""


def id_at(element: Any, path: str) -> str:
    """An id at a path of names, which is short; empty when it is not there.

    Raises:
        UpstreamError: it is not short.
    """
    found = text(element, path)
    if len(found) > _LONGEST_ID:
        raise UpstreamError("transient", f"it answered with an id of {len(found)} characters")
    return found


def create(session: ApiSession, built: Any) -> Any:
    """Create one object, and return its result.

    Raises:
        UpstreamError: it could not be asked, or the upstream refuses it.
    """
    answer = call(session, "Create", "CreateResponse", Options=left_out(), Objects=[built])
    return _only_result(answer, "the upstream did not create it")


def delete(session: ApiSession, chosen: Any) -> None:
    """Delete one object.

    Raises:
        UpstreamError: it could not be asked, or the upstream refuses it.
    """
    answer = call(session, "Delete", "DeleteResponse", Options=left_out(), Objects=[chosen])
    _only_result(answer, "the upstream did not delete it")


def retrieve(session: ApiSession, kind: str, names: list[str], where: tuple[str, str, str], answered: str) -> list[Any]:
    """The objects of a *kind* where a property is as it says, with these properties; they must be *answered* as that type.

    Raises:
        UpstreamError: it could not be asked, or the answer is of no use.
    """
    prop, operator, value = where
    chosen = session.soap_client().new("SimpleFilterPart", Property=prop, SimpleOperator=operator, Value=[value])
    wanted = {"ObjectType": kind, "Properties": names, "Filter": chosen}
    answer = call(session, "Retrieve", "RetrieveResponseMsg", RetrieveRequest=wanted)
    try:
        return retrieved(answer, answered)
    except MalformedError as error:
        raise UpstreamError("transient", f"{soap_name(session.token().soap_url)} answered {error}") from None


def call(session: ApiSession, operation: str, name: str, **arguments: Any) -> Any:
    """Call an operation, with a new token once if need be, and return the element *name* of its body.

    Raises:
        UpstreamError: it could not be asked, or the answer is of no use.
    """
    token = session.token()
    for is_last in (False, True):
        try:
            return _content(session, session.soap(token, operation, **arguments), soap_name(token.soap_url), name)
        except _RefusedTokenError as refusal:
            if is_last:
                raise UpstreamError("auth", str(refusal)) from None
            token = session.new_token(token)
    raise AssertionError


def _only_result(answer: Any, otherwise: str) -> Any:
    """The one result of a change, if it is OK."""
    results = every(answer, "Results")
    if results and text(results[0], "StatusCode") == "OK":
        return results[0]
    message = text(results[0], "StatusMessage") if results else text(answer, "OverallStatus")
    raise UpstreamError("rejected", message or otherwise)


def _content(session: ApiSession, answer: Answer, upstream: str, name: str) -> Any:
    message = ""
    try:
        found = content(answer.body, name)
    except FaultError as fault:
        if fault.is_security:
            raise _RefusedTokenError(str(fault)) from None
        message = str(fault)
    except MalformedError as error:
        message = str(error) if answer.is_ok else ""
    else:
        if answer.status == _OK:
            return found
    if answer.status == _UNAUTHORIZED:
        raise _RefusedTokenError("401")
    raise session.error_of(answer, upstream, message)
