"""What is asked of the SOAP API, each question as one function that answers plain values."""

from __future__ import annotations

from typing import Any, NamedTuple

from pollctl import Answer
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import Desk, soap_name
from pollctl_shell_query.client.soap import nothing
from pollctl_shell_query.client.xml import (
    FaultError,
    MalformedError,
    content,
    every,
    moment,
    properties,
    retrieved,
    text,
)
from pollctl_shell_query.model.columns import Field
from pollctl_shell_query.model.decisions import KEY_PREFIX, Definition

_STATUS = ["Status", "ErrorMsg", "CompletedDate"]
_DEFINITION = ["ObjectID", "CustomerKey", "CreatedDate"]
_UNAUTHORIZED, _OK = 401, 200
_LONGEST_ID = 200


class Said(NamedTuple):
    """The status of a task, in the upstream's words."""

    status: str
    error: str
    has_completed_date: bool


class Wanted(NamedTuple):
    """A query definition to be made."""

    name: str
    customer_key: str
    sql: str
    target: str
    update_type: str


class _RefusedTokenError(Exception):
    """A security fault."""


def status(desk: Desk, task_id: str) -> Said:
    """How a task is doing.

    Raises:
        UpstreamError: it could not be asked, or was not answered in a way to go on with.
    """
    found = _retrieve(desk, "AsyncActivityStatus", _STATUS, ("TaskID", "equals", task_id), "ObjectExtension")
    if not found:
        raise UpstreamError("transient", "it answered without the status of the task")
    said = properties(found[0])
    if "Status" not in said:
        raise UpstreamError("transient", "it answered without the status of the task")
    return Said(said["Status"], said.get("ErrorMsg", ""), bool(said.get("CompletedDate")))


def find_definition(desk: Desk, customer_key: str) -> str | None:
    """The ObjectID of a query definition, None when there is none with this key.

    Raises:
        UpstreamError: as for ``status``.
    """
    where = ("CustomerKey", "equals", customer_key)
    for found in _retrieve(desk, "QueryDefinition", _DEFINITION, where, "QueryDefinition"):
        if text(found, "CustomerKey") == customer_key:
            return _id_at(found, "ObjectID") or None
    return None


def definitions(desk: Desk, beginning: str = KEY_PREFIX) -> list[Definition]:
    """The query definitions whose key has this beginning, as many as the upstream gives in one answer.

    Raises:
        UpstreamError: as for ``status``; ``large`` when there are too many for one answer.
    """
    where = ("CustomerKey", "like", f"{beginning}%")
    listed = _retrieve(desk, "QueryDefinition", _DEFINITION, where, "QueryDefinition")
    found = (
        Definition(
            object_id=_id_at(one, "ObjectID"),
            customer_key=text(one, "CustomerKey"),
            created_at=moment(text(one, "CreatedDate")),
        )
        for one in listed
    )
    return [one for one in found if one.object_id and one.customer_key.startswith(beginning)]


def create_definition(desk: Desk, wanted: Wanted) -> str:
    """Make a query definition and answer its ObjectID.

    Raises:
        UpstreamError: as for ``status``; ``rejected`` when the upstream will not have it.
    """
    new = desk.client().new
    made = new(
        "QueryDefinition",
        Name=wanted.name,
        CustomerKey=wanted.customer_key,
        QueryText=wanted.sql,
        TargetType="DE",
        DataExtensionTarget=new("InteractionBaseObject", CustomerKey=wanted.target, Name=wanted.target),
        TargetUpdateType=wanted.update_type,
    )
    result = _create(desk, made)
    object_id = _id_at(result, "NewObjectID")
    if not object_id:
        raise UpstreamError(
            "rejected", text(result, "StatusMessage") or "the query definition was created without an ObjectID"
        )
    return object_id


def start(desk: Desk, object_id: str) -> str:
    """Start a query and answer the id of its task.

    Raises:
        UpstreamError: as for ``create_definition``.
    """
    chosen = desk.client().new("QueryDefinition", ObjectID=object_id)
    answer = _call(
        desk, "Perform", "PerformResponseMsg", Options=nothing(), Action="Start", Definitions={"Definition": [chosen]}
    )
    results = every(answer, "Results/Result")
    task_id = _id_at(results[0], "Task/ID") if results else ""
    if task_id:
        return task_id
    told = [text(one, path) for one in results for path in ("StatusMessage", "Task/StatusMessage")]
    told.append(text(answer, "OverallStatusMessage"))
    raise UpstreamError("rejected", next(filter(None, told), "the query was started without a task"))


def delete_definition(desk: Desk, object_id: str) -> None:
    """Delete a query definition.

    Raises:
        UpstreamError: as for ``create_definition``; also when it is not there.
    """
    _delete(desk, desk.client().new("QueryDefinition", ObjectID=object_id))


def find_target(desk: Desk, customer_key: str) -> bool:
    """Whether there is a data extension with this key.

    Raises:
        UpstreamError: as for ``status``.
    """
    where = ("CustomerKey", "equals", customer_key)
    found = _retrieve(desk, "DataExtension", ["ObjectID", "CustomerKey"], where, "DataExtension")
    return any(text(one, "CustomerKey") == customer_key for one in found)


def create_target(desk: Desk, customer_key: str, name: str, fields: list[Field]) -> None:
    """Make a data extension.

    Raises:
        UpstreamError: as for ``create_definition``.
    """
    new = desk.client().new
    columns = [new("DataExtensionField", **field.as_soap()) for field in fields]
    _create(desk, new("DataExtension", CustomerKey=customer_key, Name=name, Fields={"Field": columns}))


def delete_target(desk: Desk, customer_key: str) -> None:
    """Delete a data extension.

    Raises:
        UpstreamError: as for ``create_definition``; also when it is not there.
    """
    _delete(desk, desk.client().new("DataExtension", CustomerKey=customer_key))


def _id_at(element: Any, path: str) -> str:
    """An id of the upstream, which is short."""
    found = text(element, path)
    if len(found) > _LONGEST_ID:
        raise UpstreamError("transient", f"it answered with an id of {len(found)} characters")
    return found


def _create(desk: Desk, made: Any) -> Any:
    answer = _call(desk, "Create", "CreateResponse", Options=nothing(), Objects=[made])
    return _only_result(answer, "the upstream did not create it")


def _delete(desk: Desk, chosen: Any) -> None:
    answer = _call(desk, "Delete", "DeleteResponse", Options=nothing(), Objects=[chosen])
    _only_result(answer, "the upstream did not delete it")


def _only_result(answer: Any, otherwise: str) -> Any:
    """The one result of a change, if it is OK."""
    results = every(answer, "Results")
    if results and text(results[0], "StatusCode") == "OK":
        return results[0]
    said = text(results[0], "StatusMessage") if results else text(answer, "OverallStatus")
    raise UpstreamError("rejected", said or otherwise)


def _retrieve(desk: Desk, kind: str, names: list[str], where: tuple[str, str, str], answered: str) -> list[Any]:
    prop, operator, value = where
    chosen = desk.client().new("SimpleFilterPart", Property=prop, SimpleOperator=operator, Value=[value])
    wanted = {"ObjectType": kind, "Properties": names, "Filter": chosen}
    answer = _call(desk, "Retrieve", "RetrieveResponseMsg", RetrieveRequest=wanted)
    try:
        return retrieved(answer, answered)
    except MalformedError as error:
        raise UpstreamError("transient", f"{soap_name(desk.token().soap_url)} answered {error}") from None


def _call(desk: Desk, operation: str, name: str, **arguments: Any) -> Any:
    """Call an operation, with a new token once if need be, and answer the element *name* of its body."""
    token = desk.token()
    for is_last in (False, True):
        try:
            return _content(desk, desk.soap(token, operation, **arguments), soap_name(token.soap_url), name)
        except _RefusedTokenError as refusal:
            if is_last:
                raise UpstreamError("auth", str(refusal)) from None
            token = desk.new_token(token)
    raise AssertionError


def _content(desk: Desk, answer: Answer, upstream: str, name: str) -> Any:
    words = ""
    try:
        found = content(answer.body, name)
    except FaultError as fault:
        if fault.is_security:
            raise _RefusedTokenError(str(fault)) from None
        words = str(fault)
    except MalformedError as error:
        words = str(error) if answer.is_ok else ""
    else:
        if answer.status == _OK:
            return found
    if answer.status == _UNAUTHORIZED:
        raise _RefusedTokenError("401")
    raise desk.trouble_of(answer, upstream, words)
