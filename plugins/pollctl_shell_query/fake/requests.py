"""What the SOAP requests that the fake upstream gets ask for."""

from __future__ import annotations

from typing import Any, NamedTuple

from pollctl_shell_query.fake.envelopes import ENVELOPE, NAMESPACE, SCHEMA

_CREATES = {"QueryDefinition": "create", "DataExtension": "create_target"}
_DELETES = {"QueryDefinition": "delete", "DataExtension": "delete_target"}
_FINDS = {"AsyncActivityStatus": "status", "QueryDefinition": "find", "DataExtension": "find_target"}


class SoapRequest(NamedTuple):
    """What an envelope asks for; *texts* are those of the object it is about, *value* is that of the filter."""

    kind: str
    operation: str
    token: str
    texts: dict[str, str]
    value: str = ""
    fields: list[dict[str, str]] = []  # noqa: RUF012 - never changed


def read_request(body: bytes) -> SoapRequest:
    """Read a request."""
    from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

    root = etree.fromstring(body)
    token = root.findtext(f"{{{ENVELOPE}}}Header/{{http://exacttarget.com}}fueloauth") or ""
    (message,) = root.find(f"{{{ENVELOPE}}}Body")
    operation = etree.QName(message).localname.removesuffix("Msg").removesuffix("Request")
    chosen = next((found for found in message.iter(_p("Objects"), _p("Definition"))), None)
    if chosen is None:
        return _retrieval(message, token)
    kind = (chosen.get(f"{{{SCHEMA}}}type") or "").rpartition(":")[2]
    kinds = {"Create": _CREATES, "Delete": _DELETES, "Perform": {"QueryDefinition": "perform"}}[operation]
    fields = [_texts(field) for field in chosen.iter(_p("Field"))]
    return SoapRequest(kinds[kind], operation, token, _texts(chosen), fields=fields)


def _retrieval(message: Any, token: str) -> SoapRequest:
    kind = _FINDS[message.findtext(f".//{_p('ObjectType')}")]
    operator, value = message.findtext(f".//{_p('SimpleOperator')}"), message.findtext(f".//{_p('Value')}")
    return SoapRequest("list" if operator == "like" else kind, "Retrieve", token, {}, value)


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
    return f"{{{NAMESPACE}}}{name}"
