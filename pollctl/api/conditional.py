"""Requests that may be asked again under a condition, such as ``If-None-Match``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pollctl.api.values import Request

_CONDITIONS = {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"}


def conditional_key(request: Request[Any]) -> str:
    """What a request is known by: a digest of its address and headers, but for ``Cache-Control``.

    Validators of an answer (``Answer.validators``) belong to a request with the key of the one that was answered. It is empty
    for a request that cannot be asked again under a condition: one that has conditions of its own, or is not a plain GET.
    """
    from hashlib import sha256

    headers = sorted((name.lower(), value) for name, value in request.headers.items())
    if request.method != "GET" or request.body is not None or _CONDITIONS & {name for name, _ in headers}:
        return ""
    lines = [request.url, *(f"{name}:{value}" for name, value in headers if name != "cache-control")]
    return sha256("\n".join(lines).encode()).hexdigest()[:32]
