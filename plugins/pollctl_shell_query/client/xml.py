"""Answers in XML from an upstream that cannot be trusted: read strictly, never repaired, nothing fetched, nothing expanded."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pollctl import shorten

NAMESPACE = "http://exacttarget.com/wsdl/partnerAPI"
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NS = {"p": NAMESPACE}
MOST_ELEMENTS = 50_000
"""Far more than any answer needs; a tree of so many takes some 10 MB."""
MAX_BODY = 512 * 1024
"""A sweep of 1,200 definitions; the worst document of this size takes 25 MB."""
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]+)|([0-9]+));")
_MOST_DIGITS, _BEYOND = 7, 0x110000  # of references to characters, and what comes after the last one
_LONGEST_NAME = 80
_PIECE = 16 * 1024
_CENTRAL = timezone(-timedelta(hours=6))  # moments without a zone are US Central standard time, all year


class MalformedError(ValueError):
    """An answer that is not acceptable XML, or not what was asked for."""


class FaultError(Exception):
    """A SOAP fault; ``is_security`` when it is about the token."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.is_security = code.rpartition(":")[2] == "Security"


def parse(body: bytes) -> Any:
    """The root element of an XML document.

    References to characters that XML forbids are dropped first: they stand in messages, which must not hide a status.
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
        return _fed(parser, _REFERENCE.sub(_unless_forbidden, body))
    except etree.XMLSyntaxError as error:
        raise MalformedError(f"not acceptable XML: {shorten(error.msg or 'unreadable')}") from None


def may_stand(char: str) -> bool:
    """Whether XML can carry a character (XML 1.0, Char)."""
    return char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"


def _unless_forbidden(reference: re.Match[bytes]) -> bytes:
    """A reference to a character as it is, or nothing where XML forbids the character."""
    hexadecimal, decimal = reference.groups()
    digits = (hexadecimal or decimal).lstrip(b"0") or b"0"
    code = int(digits, 16 if hexadecimal else 10) if len(digits) <= _MOST_DIGITS else _BEYOND
    return reference[0] if code < _BEYOND and may_stand(chr(code)) else b""


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
    offset = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while body[offset : offset + 1] in (b" ", b"\t", b"\r", b"\n"):
            offset += 1
        end = b"?>" if body.startswith(b"<?", offset) else b"-->" if body.startswith(b"<!--", offset) else b""
        if not end:
            return body[offset : offset + 2] == b"<!"
        offset = body.find(end, offset)
        if offset < 0:
            return False
        offset += len(end)


def content(body: bytes, name: str) -> Any:
    """The element *name* of the partner API within the body of a SOAP envelope.

    Raises:
        MalformedError: it is not such an envelope.
        FaultError: it holds a fault.
    """
    root = parse(body)
    inner = root.find(f"{_SOAP}Body") if root.tag == f"{_SOAP}Envelope" else None
    if inner is None:
        raise MalformedError(f"<{shorten(_local(root.tag), _LONGEST_NAME)}> instead of a SOAP envelope")
    fault = inner.find(f"{_SOAP}Fault")
    if fault is not None:
        code, message = fault.findtext("faultcode") or "", fault.findtext("faultstring") or "a fault"
        raise FaultError(shorten(code, _LONGEST_NAME), shorten(message, MAX_BODY))
    answer = inner.find(f"p:{name}", _NS)
    if answer is None:
        raise MalformedError(f"no {name} in the SOAP body")
    return answer


def text(element: Any, path: str) -> str:
    """The text at a path of names such as ``Results/StatusCode``, as it may be shown; empty when it is not there."""
    found = element.findtext("/".join(f"p:{name}" for name in path.split("/")), None, _NS)
    return shorten(found or "", MAX_BODY)


def every(element: Any, path: str) -> list[Any]:
    """All elements at a path of names."""
    found: list[Any] = element.findall("/".join(f"p:{name}" for name in path.split("/")), _NS)
    return found


def retrieved(answer: Any, kind: str) -> list[Any]:
    """The objects of a retrieval, all of which must say that they are of one kind.

    Raises:
        MalformedError: the retrieval failed, or answered with something else.
    """
    status = text(answer, "OverallStatus")
    if status not in ("OK", "MoreDataAvailable"):
        raise MalformedError(status or "no OverallStatus")
    found = every(answer, "Results")
    for element in found:
        if _kind_of(element) != f"{{{NAMESPACE}}}{kind}":
            raise MalformedError(
                f"a result of type {shorten(element.get(_TYPE) or 'unknown', _LONGEST_NAME)}, not {kind}"
            )
    return found


def properties(element: Any) -> dict[str, str]:
    """Names and values of an ``ObjectExtension``."""
    return {text(one, "Name"): text(one, "Value") for one in every(element, "Properties/Property")}


def moment(text: str) -> datetime | None:
    """A moment as the SOAP API writes it; None when it cannot be read."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=_CENTRAL)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _kind_of(element: Any) -> str:
    prefix, _, name = (element.get(_TYPE) or "").strip().rpartition(":")
    return f"{{{element.nsmap.get(prefix or None, '')}}}{name}"


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]
