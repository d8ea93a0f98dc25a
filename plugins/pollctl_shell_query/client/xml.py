"""Answers in XML from an upstream that cannot be trusted: read strictly, never repaired, nothing fetched, nothing expanded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

PARTNER = "http://exacttarget.com/wsdl/partnerAPI"
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NS = {"p": PARTNER}
MOST_ELEMENTS = 50_000
"""Far more than any answer needs; a tree of so many takes some 10 MB."""
MAX_BODY = 512 * 1024
"""A sweep of 1,200 definitions; the worst that fits in so much takes 25 MB."""
_PIECE = 16 * 1024
_CENTRAL = timezone(-timedelta(hours=6))  # moments without a zone are US Central standard time, all year


class MalformedError(ValueError):
    """An answer that is no acceptable XML, or not what was asked for."""


class FaultError(Exception):
    """A SOAP fault; ``is_security`` when it is about the token."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.is_security = code.rpartition(":")[2] == "Security"


def parse(body: bytes) -> Any:
    """The root element of an XML document.

    Refused are a DTD (and with it every entity), XML that is not well-formed or not UTF-8, more than ``MOST_ELEMENTS``
    elements, and whatever libxml2's own limits refuse.

    Raises:
        MalformedError: with a short reason.
    """
    from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

    if has_dtd(body):
        raise MalformedError("not acceptable XML: it has a DTD")
    parser = etree.XMLPullParser(
        events=("start",),
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return _fed(parser, body)
    except etree.XMLSyntaxError as error:
        raise MalformedError(f"not acceptable XML: {shown(error.msg or 'unreadable')[:200]}") from None


def _fed(parser: Any, body: bytes) -> Any:
    count = 0
    for start in range(0, len(body), _PIECE):
        parser.feed(body[start : start + _PIECE])
        count += sum(1 for _ in parser.read_events())
        if count > MOST_ELEMENTS:
            raise MalformedError(f"not acceptable XML: more than {MOST_ELEMENTS} elements")
    root = parser.close()
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedError("not acceptable XML: it has a DTD")
    return root


def has_dtd(body: bytes) -> bool:
    """Whether a DTD stands before the root element; found by its bytes, before a parser sees it."""
    place = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while body[place : place + 1] in (b" ", b"\t", b"\r", b"\n"):
            place += 1
        end = b"?>" if body.startswith(b"<?", place) else b"-->" if body.startswith(b"<!--", place) else b""
        if not end:
            return body[place : place + 2] == b"<!"
        place = body.find(end, place)
        if place < 0:
            return False
        place += len(end)


def content(body: bytes, name: str) -> Any:
    """The element *name* of the partner API within the body of a SOAP envelope.

    Raises:
        MalformedError: it is no such envelope.
        FaultError: it holds a fault.
    """
    root = parse(body)
    inner = root.find(f"{_SOAP}Body") if root.tag == f"{_SOAP}Envelope" else None
    if inner is None:
        raise MalformedError(f"no SOAP envelope but <{shown(_local(root.tag))[:80]}>")
    fault = inner.find(f"{_SOAP}Fault")
    if fault is not None:
        raise FaultError(
            shown(fault.findtext("faultcode") or "")[:80], shown(fault.findtext("faultstring") or "a fault")
        )
    answer = inner.find(f"p:{name}", _NS)
    if answer is None:
        raise MalformedError(f"no {name} in the SOAP body")
    return answer


def text(element: Any, path: str) -> str:
    """The text at a path of names such as ``Results/StatusCode``, as it may be shown; empty when it is not there."""
    found = element.findtext("/".join(f"p:{name}" for name in path.split("/")), None, _NS)
    return shown((found or "").strip())


def every(element: Any, path: str) -> list[Any]:
    """All elements at a path of names."""
    found: list[Any] = element.findall("/".join(f"p:{name}" for name in path.split("/")), _NS)
    return found


def retrieved(answer: Any, kind: str) -> list[Any]:
    """The objects of a retrieval, all of which must say that they are of one kind.

    Raises:
        MalformedError: the retrieval failed, or brought something else.
    """
    status = text(answer, "OverallStatus")
    if status not in ("OK", "MoreDataAvailable"):
        raise MalformedError(status or "no OverallStatus")
    found = every(answer, "Results")
    for element in found:
        if _kind_of(element) != f"{{{PARTNER}}}{kind}":
            raise MalformedError(f"a result of type {shown(element.get(_TYPE) or 'unknown')[:80]}, not {kind}")
    return found


def properties(element: Any) -> dict[str, str]:
    """Names and values of an ``ObjectExtension``."""
    return {text(one, "Name"): text(one, "Value") for one in every(element, "Properties/Property")}


def moment(said: str) -> datetime | None:
    """A moment as the SOAP API writes it; None when it cannot be read."""
    try:
        found = datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=_CENTRAL)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def shown(said: str) -> str:
    """Text of the upstream as it may be shown: one line of what can be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())


def _kind_of(element: Any) -> str:
    prefix, _, name = (element.get(_TYPE) or "").strip().rpartition(":")
    return f"{{{element.nsmap.get(prefix or None, '')}}}{name}"


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]
