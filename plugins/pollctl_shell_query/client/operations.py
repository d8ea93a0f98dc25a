"""The requests of the SOAP API, each as one function that returns plain values."""

from __future__ import annotations

from typing import Any, NamedTuple

from pollctl_shell_query.client.calls import call, create, delete, id_at, retrieve
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession
from pollctl_shell_query.client.soap import left_out
from pollctl_shell_query.client.xml import every, moment, properties, text
from pollctl_shell_query.model import KEY_PREFIX, Column, Definition

_STATUS = ["Status", "ErrorMsg", "CompletedDate"]
_DEFINITION = ["ObjectID", "CustomerKey", "CreatedDate", "Status"]
_ACTIVE = "active"


class TaskStatus(NamedTuple):
    """The status of a task, in the upstream's words; ``error_message`` is its ErrorMsg."""

    status: str
    error_message: str
    has_completed_date: bool


class NewDefinition(NamedTuple):
    """A query definition to be made."""

    name: str
    customer_key: str
    sql: str
    target: str
    update_type: str


def task_status(session: ApiSession, task_id: str) -> TaskStatus:
    """How a task is doing.

    Raises:
        UpstreamError: it could not be asked, or the answer is of no use.
    """
    found = retrieve(session, "AsyncActivityStatus", _STATUS, ("TaskID", "equals", task_id), "ObjectExtension")
    values = properties(found[0]) if found else {}
    if "Status" not in values:
        raise UpstreamError("transient", "it answered without the status of the task")
    return TaskStatus(values["Status"], values.get("ErrorMsg", ""), bool(values.get("CompletedDate")))


def find_definition(session: ApiSession, customer_key: str) -> str | None:
    """The ObjectID of a query definition, None when there is none with this key, or none any more.

    Raises:
        UpstreamError: as for ``task_status``.
    """
    where = ("CustomerKey", "equals", customer_key)
    for found in retrieve(session, "QueryDefinition", _DEFINITION, where, "QueryDefinition"):
        if text(found, "CustomerKey") == customer_key and _is_there(found):
            return id_at(found, "ObjectID") or None
    return None


def list_definitions(session: ApiSession, beginning: str = KEY_PREFIX) -> list[Definition]:
    """The query definitions whose key has this beginning, as many as the upstream gives in one answer.

    Raises:
        UpstreamError: as for ``task_status``; ``large`` when there are too many for one answer.
    """
    where = ("CustomerKey", "like", f"{beginning}%")
    listed = retrieve(session, "QueryDefinition", _DEFINITION, where, "QueryDefinition")
    found = (
        Definition(
            object_id=id_at(one, "ObjectID"),
            customer_key=text(one, "CustomerKey"),
            created_at=moment(text(one, "CreatedDate")),
        )
        for one in listed
        if _is_there(one)
    )
    return [one for one in found if one.object_id and one.customer_key.startswith(beginning)]


def _is_there(definition: Any) -> bool:
    """Whether a definition was not deleted: the upstream goes on listing those as ``Inactive``."""
    return (text(definition, "Status").strip() or _ACTIVE).casefold() == _ACTIVE


def create_definition(session: ApiSession, new: NewDefinition) -> str:
    """Make a query definition and return its ObjectID.

    Raises:
        UpstreamError: as for ``task_status``; ``rejected`` when the upstream refuses it.
    """
    build = session.soap_client().new
    definition = build(
        "QueryDefinition",
        Name=new.name,
        CustomerKey=new.customer_key,
        QueryText=new.sql,
        TargetType="DE",
        DataExtensionTarget=build("InteractionBaseObject", CustomerKey=new.target, Name=new.target),
        TargetUpdateType=new.update_type,
    )
    result = create(session, definition)
    object_id = id_at(result, "NewObjectID")
    if object_id:
        return object_id
    message = text(result, "StatusMessage") or "the query definition was created without an ObjectID"
    raise UpstreamError("rejected", message)


def start(session: ApiSession, object_id: str) -> str:
    """Start a query and return the id of its task.

    Raises:
        UpstreamError: as for ``create_definition``.
    """
    chosen = session.soap_client().new("QueryDefinition", ObjectID=object_id)
    answer = call(
        session,
        "Perform",
        "PerformResponseMsg",
        Options=left_out(),
        Action="Start",
        Definitions={"Definition": [chosen]},
    )
    results = every(answer, "Results/Result")
    task_id = id_at(results[0], "Task/ID") if results else ""
    if task_id:
        return task_id
    messages = [text(one, path) for one in results for path in ("StatusMessage", "Task/StatusMessage")]
    messages.append(text(answer, "OverallStatusMessage"))
    raise UpstreamError("rejected", next(filter(None, messages), "the query was started without a task"))


def delete_definition(session: ApiSession, object_id: str) -> None:
    """Delete a query definition.

    Raises:
        UpstreamError: as for ``create_definition``; also when it is not there.
    """
    delete(session, session.soap_client().new("QueryDefinition", ObjectID=object_id))


def find_target(session: ApiSession, customer_key: str) -> bool:
    """Whether there is a data extension with this key.

    Raises:
        UpstreamError: as for ``task_status``.
    """
    where = ("CustomerKey", "equals", customer_key)
    found = retrieve(session, "DataExtension", ["ObjectID", "CustomerKey"], where, "DataExtension")
    return any(text(one, "CustomerKey") == customer_key for one in found)


def create_target(session: ApiSession, customer_key: str, name: str, columns: list[Column]) -> None:
    """Make a data extension.

    Raises:
        UpstreamError: as for ``create_definition``.
    """
    build = session.soap_client().new
    fields = [build("DataExtensionField", **column.as_soap()) for column in columns]
    create(session, build("DataExtension", CustomerKey=customer_key, Name=name, Fields={"Field": fields}))


def delete_target(session: ApiSession, customer_key: str) -> None:
    """Delete a data extension.

    Raises:
        UpstreamError: as for ``create_definition``; also when it is not there.
    """
    delete(session, session.soap_client().new("DataExtension", CustomerKey=customer_key))
