"""The XML of the fake Marketing Cloud: reading requests, writing answers, and answers that nobody should trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, product
from string import ascii_letters
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from msgspec import Struct

_PARTNER = "http://exacttarget.com/wsdl/partnerAPI"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_CREATES = {"QueryDefinition": "create", "DataExtension": "create_target"}
_DELETES = {"QueryDefinition": "delete", "DataExtension": "delete_target"}
_FINDS = {"AsyncActivityStatus": "status", "QueryDefinition": "find", "DataExtension": "find_target"}


class Step(Struct, frozen=True, kw_only=True):
    """What the status request says at one poll."""

    status: str = "Queued"
    error: str = ""
    completed_date: str = ""


class Definition(Struct, kw_only=True):
    """A query definition."""

    object_id: str
    customer_key: str
    name: str
    sql: str
    target: str
    update_type: str
    created_at: datetime


class Asked(NamedTuple):
    """What an envelope asks for; *said* are the texts of the object it is about, *value* that of the filter."""

    kind: str
    operation: str
    token: str
    said: dict[str, str]
    value: str = ""
    fields: list[dict[str, str]] = []  # noqa: RUF012 - never changed


def asked(body: bytes) -> Asked:
    """Read a request."""
    from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

    root = etree.fromstring(body)
    token = root.findtext(f"{{{_ENVELOPE}}}Header/{{http://exacttarget.com}}fueloauth") or ""
    (message,) = root.find(f"{{{_ENVELOPE}}}Body")
    operation = etree.QName(message).localname.removesuffix("Msg").removesuffix("Request")
    chosen = next((found for found in message.iter(_p("Objects"), _p("Definition"))), None)
    if chosen is None:
        return _retrieval(message, token)
    kind = (chosen.get(f"{{{_SCHEMA}}}type") or "").rpartition(":")[2]
    kinds = {"Create": _CREATES, "Delete": _DELETES, "Perform": {"QueryDefinition": "perform"}}[operation]
    fields = [_texts(field) for field in chosen.iter(_p("Field"))]
    return Asked(kinds[kind], operation, token, _texts(chosen), fields=fields)


def _retrieval(message: Any, token: str) -> Asked:
    kind = _FINDS[message.findtext(f".//{_p('ObjectType')}")]
    operator, value = message.findtext(f".//{_p('SimpleOperator')}"), message.findtext(f".//{_p('Value')}")
    return Asked("list" if operator == "like" else kind, "Retrieve", token, {}, value)


def _texts(element: Any) -> dict[str, str]:
    """The texts below an element, by the path of their names."""
    from lxml import etree

    found: dict[str, str] = {}
    for child in element:
        name = etree.QName(child).localname
        found[name] = child.text or ""
        found |= {f"{name}/{below}": text for below, text in _texts(child).items()}
    return found


def _p(name: str) -> str:
    return f"{{{_PARTNER}}}{name}"


# answers


def envelope(inner: str) -> bytes:
    """A SOAP envelope around the content of its body."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}" xmlns:xsi="{_SCHEMA}">'
        f"<soap:Body>{inner}</soap:Body></soap:Envelope>"
    ).encode()


def fault(code: str, words: str) -> bytes:
    """A SOAP fault."""
    return envelope(
        f'<soap:Fault xmlns:q0="http://docs.oasis-open.org/wss"><faultcode>{code}</faultcode>'
        f"<faultstring>{escape(words)}</faultstring></soap:Fault>"
    )


def created(status: str, words: str, object_id: str = "") -> bytes:
    """The answer to a Create."""
    return envelope(
        f'<CreateResponse xmlns="{_PARTNER}"><Results><StatusCode>{status}</StatusCode>'
        f"<StatusMessage>{escape(words)}</StatusMessage><OrdinalID>0</OrdinalID><NewID>0</NewID>"
        f"{f'<NewObjectID>{object_id}</NewObjectID>' if object_id else ''}</Results>"
        f"<RequestID>r</RequestID><OverallStatus>{status}</OverallStatus></CreateResponse>"
    )


def performed(status: str, words: str, task_id: str = "") -> bytes:
    """The answer to a Perform."""
    task = f"<Task><StatusCode>{status}</StatusCode><StatusMessage/>{f'<ID>{task_id}</ID>' if task_id else ''}</Task>"
    return envelope(
        f'<PerformResponseMsg xmlns="{_PARTNER}"><Results><Result><StatusCode>{status}</StatusCode>'
        f"<StatusMessage>{escape(words)}</StatusMessage><Object/>{task}</Result></Results>"
        f"<OverallStatus>{status}</OverallStatus><OverallStatusMessage/><RequestID>r</RequestID></PerformResponseMsg>"
    )


def deleted(status: str, words: str) -> bytes:
    """The answer to a Delete."""
    return envelope(
        f'<DeleteResponse xmlns="{_PARTNER}"><Results><StatusCode>{status}</StatusCode>'
        f"<StatusMessage>{escape(words)}</StatusMessage></Results><OverallStatus>{status}</OverallStatus></DeleteResponse>"
    )


def retrieved(results: Iterable[str], overall: str = "OK") -> bytes:
    """The answer to a Retrieve."""
    return envelope(
        f'<RetrieveResponseMsg xmlns="{_PARTNER}"><OverallStatus>{escape(overall)}</OverallStatus>'
        f"<RequestID>r</RequestID>{''.join(results)}</RetrieveResponseMsg>"
    )


def statuses(found: Sequence[Mapping[str, str]], *, kind: str = "ObjectExtension", overall: str = "OK") -> bytes:
    """Statuses of tasks."""
    return retrieved(
        (
            f'<Results xsi:type="{kind}"><PartnerKey xsi:nil="true"/><ObjectID xsi:nil="true"/><Type>AsyncActivityStatus</Type>'
            "<Properties>"
            + "".join(
                f"<Property><Name>{name}</Name><Value>{escape(value)}</Value></Property>"
                for name, value in said.items()
                if value
            )
            + "</Properties></Results>"
            for said in found
        ),
        overall,
    )


def definitions(found: Iterable[Definition]) -> bytes:
    """Query definitions; their moments are written without a zone, as this upstream does."""
    return retrieved(
        f'<Results xsi:type="QueryDefinition"><PartnerKey xsi:nil="true"/>'
        f"<CreatedDate>{(one.created_at - timedelta(hours=6)).replace(tzinfo=None).isoformat()}</CreatedDate>"
        f"<ObjectID>{one.object_id}</ObjectID><CustomerKey>{escape(one.customer_key)}</CustomerKey></Results>"
        for one in found
    )


def targets(keys: Iterable[str]) -> bytes:
    """Data extensions."""
    return retrieved(
        f'<Results xsi:type="DataExtension"><PartnerKey xsi:nil="true"/><ObjectID>de</ObjectID>'
        f"<CustomerKey>{escape(key)}</CustomerKey></Results>"
        for key in keys
    )


def hostile(kind: str, sink: str) -> bytes:
    """XML that must be refused.

    Args:
        kind: ``dtd``, ``entities``, ``external``, ``laughs``, ``deep``, ``wide``, ``attributes`` or ``truncated``.
        sink: an address that must not be asked.
    """
    good = statuses([{"Status": "Complete"}])
    head, tail = good.split(b"?>", 1)
    laughs = '<!ENTITY a0 "haha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    dtds = {
        "dtd": "<!DOCTYPE soap:Envelope>",
        "entities": '<!DOCTYPE soap:Envelope [<!ENTITY a "Complete">]>',
        "external": f'<!DOCTYPE soap:Envelope SYSTEM "{sink}evil.dtd" [<!ENTITY x SYSTEM "{sink}evil.xml">]>',
        "laughs": f"<!DOCTYPE soap:Envelope [{laughs}]>",
    }
    if kind in dtds:
        said = {"entities": b"&a;", "external": b"&x;", "laughs": b"&a9;"}.get(kind, b"Complete")
        return head + b"?>" + dtds[kind].encode() + tail.replace(b"Complete", said)
    names = product(ascii_letters, repeat=3)
    return {
        "deep": envelope("<a>" * 70_000 + "</a>" * 70_000),
        "wide": envelope("<a/>" * 130_000),
        "attributes": envelope("<a " + " ".join(f'{"".join(name)}=""' for name in islice(names, 74_000)) + "/>"),
        "truncated": good[: len(good) // 2],
    }[kind]
