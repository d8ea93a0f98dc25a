"""What is neither a page nor a text: JSON, PDF, and bytes of any kind."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import Any

import msgspec

from pollctl import Answer, shorten
from pollctl_watch.model import Watch


def json(answer: Answer, watch: Watch) -> list[str]:
    """What an expression finds, or all of it: texts as they are, anything else as JSON with sorted keys.

    Raises:
        ValueError: it is not JSON, or the expression cannot be read.
    """
    import jmespath  # type: ignore[import-untyped]

    expression = check_expression(watch.json or "@")
    try:
        found = expression.search(answer.json())
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"json: {watch.json!r} cannot be read: {shorten(str(error), 120)}") from error
    if found is None or found == []:
        return []
    return [_written(one) for one in found] if _is_plain(found) else [_written(found)]


def check_expression(text: str) -> Any:
    """Read a JMESPath expression.

    Raises:
        ValueError: it cannot be read.
    """
    import jmespath

    try:
        return jmespath.compile(text)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"json: {text!r} cannot be read: {shorten(str(error), 120)}") from error


def _is_plain(found: Any) -> bool:
    """Whether it is a list of values, each of which is a line."""
    return isinstance(found, list) and not any(isinstance(one, dict | list) for one in found)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value, order="sorted")).decode()


def pdf(answer: Answer, watch: Watch) -> list[str]:  # noqa: ARG001 - every reader is asked alike
    """The text of each page of a PDF.

    Raises:
        ValueError: it is not one, or what reads it is not installed.
    """
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise ValueError("a PDF needs the extra pdf: pip install 'pollctl-watch[pdf]'") from error
    try:
        return [page.extract_text() for page in PdfReader(io.BytesIO(answer.body)).pages]
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"the PDF of {len(answer.body)} bytes cannot be read: {shorten(str(error), 120)}") from error


def size_and_hash(answer: Answer, watch: Watch) -> list[str]:  # noqa: ARG001 - as above
    """By what bytes are compared."""
    return [f"{len(answer.body)} bytes", f"sha256 {sha256(answer.body).hexdigest()}"]
