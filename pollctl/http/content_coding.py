"""What Content-Encoding names, and whether a body that names nonsense there is plain all the same.

Only gzip is asked for, and only gzip is unpacked. Servers also name codings that are none (``utf-8``, ``none``), or one
that they did not apply. Such a body is passed over only where it proves itself: it parses as a whole as a JSON object or
list, or as XML. Where the name is that of a character set or says "as it is", valid text is proof enough, because no
coding is claimed. Everything else is refused: text alone proves nothing, base64 is text too.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from xml.parsers import expat

import msgspec

_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii", "none", "plain", "text", "binary", "7bit", "8bit")
_LATIN1 = ("iso-8859-1", "latin1", "latin-1", "windows-1252")
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NOT_IN_LATIN1 = re.compile(rb"[\x80-\x9f]")
_PIECE = 65_536


def codings_of(header: str) -> tuple[str, ...]:
    """What was done to a body, first to last; empty elements and ``identity`` are nothing."""
    if not header:
        return ()
    named = (element.strip(" \t").lower() for element in header.split(","))
    return tuple(coding for coding in named if coding not in ("", "identity"))


def is_plain(body: bytes, codings: Sequence[str]) -> bool:
    """Whether a *body* is not encoded, whatever *codings* say."""
    if not body or _is_json(body) or _is_xml(body):
        return True
    if len(codings) != 1 or _NOT_IN_TEXT.search(body):
        return False
    if codings[0] in _LATIN1 and not _NOT_IN_LATIN1.search(body):
        return True
    return codings[0] in (*_UTF8, *_LATIN1) and _is_utf8(body)


def _is_json(body: bytes) -> bool:
    """Whether it is a JSON object or list; a lone number or text could be anything."""
    if not body[:_PIECE].lstrip().startswith((b"{", b"[")):
        return False
    try:
        msgspec.json.decode(body, type=msgspec.Raw)  # checks the whole, builds nothing
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _is_xml(body: bytes) -> bool:
    """Whether it is well-formed XML, without entities of its own."""
    if not body[:_PIECE].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return False
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):
        return False
    return True


def _refuse(*_: object) -> None:
    raise ValueError


def _is_utf8(body: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    try:
        for start in range(0, len(body), _PIECE):  # never the whole as text: that may take four times its size
            decoder.decode(view[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
