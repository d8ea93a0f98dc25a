"""Bytes as text, with the encoding that browsers would take: https://encoding.spec.whatwg.org/."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from pollctl import Answer

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META = re.compile(
    rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)"
)
_HEAD = 4096
_AS_BROWSERS_TAKE: Mapping[str, str] = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
}


def decoded(answer: Answer) -> str:
    """The body as text: by its mark, its header, what it says of itself, else UTF-8, else as Windows writes it."""
    body = answer.body
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    named = _HEADER.search(answer.headers.get("content-type", ""))
    encoding = _known(named[1]) if named else ""
    if not encoding and (found := _META.search(body[:_HEAD].lower())):
        encoding = _known((found[1] or found[2]).decode("ascii", "replace"))
        encoding = "utf-8" if encoding.startswith("utf-16") else encoding  # it was read as single bytes
    return body.decode(encoding, "replace") if encoding else _guessed(body)


def _guessed(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _known(label: str) -> str:
    """The codec that a label means to a browser; empty for one that nobody knows."""
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return ""
    return _AS_BROWSERS_TAKE.get(name, name) if codecs.lookup(label)._is_text_encoding else ""  # noqa: SLF001 - no other way
