"""Bodies of exchanges as values and text: what a request sends, and what an answer says."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.ASCII | re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HEAD = 1024
"""Bytes of a page in which its encoding must be named: https://html.spec.whatwg.org/multipage/semantics.html#charset."""


def with_query(url: str, params: Mapping[str, Any]) -> str:
    """An address with further keys in its query; those that are None are left out, of a list each value is one."""
    query = urlencode({name: value for name, value in params.items() if value is not None}, doseq=True)
    if not query:
        return url
    parts = urlsplit(url)
    return parts._replace(query="&".join(filter(None, (parts.query, query)))).geturl()


def form_body(form: Mapping[str, Any]) -> bytes:
    """The fields of a form as ``application/x-www-form-urlencoded``."""
    return urlencode({name: value for name, value in form.items() if value is not None}, doseq=True).encode()


def text_of(body: bytes, content_type: str) -> str:
    """A body as text, by the mark that it begins with, the charset of its header, its own ``meta``, else as UTF-8.

    What cannot be decoded becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, errors="replace")
    named = _CHARSET.search(content_type)
    meta = None if named else _META.search(body[:_HEAD])
    name = named[1] if named else (meta[1].decode("ascii", errors="replace") if meta else "utf-8")
    try:
        return body.decode(name, errors="replace")
    except (LookupError, UnicodeError):  # no such encoding, or one that is not of text
        return body.decode(errors="replace")
