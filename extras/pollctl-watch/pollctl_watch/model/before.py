"""The request that is made before that of a watch, such as a login."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from pollctl import HttpUrl, Request, Secret


class Before(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``before = { url = "...", xpath = "..." }``.

    Attributes:
        url: what is asked first.
        headers: of that request.
        form: fields that it sends, by a POST.
        body: a text that it sends, by a POST.
        select, xpath, json, regex: what of its answer goes into the watch's own request, there as ``{before}``.
    """

    url: HttpUrl
    headers: Mapping[str, Secret] = {}
    form: Mapping[str, Secret] = {}
    body: Secret | None = None
    select: str = ""
    xpath: str = ""
    json: str = ""
    regex: str = ""

    def __post_init__(self) -> None:
        refuse_both(self, [("form", "body"), ("select", "xpath"), ("select", "json"), ("xpath", "json")])

    @property
    def is_selecting(self) -> bool:
        """Whether something of its answer is needed."""
        return bool(self.select or self.xpath or self.json or self.regex)

    def request(self) -> Request:
        """How it is asked."""
        headers = {name: value.reveal() for name, value in self.headers.items()}
        sent = body_of(self.form, self.body, "")
        return Request(url=self.url, headers={**kind_of(self.body), **headers}, **sent)


def refuse_both(keys: Struct, rivals: Iterable[tuple[str, str]]) -> None:
    """Refuse keys that exclude each other.

    Raises:
        ValueError: both of a pair are there; names them.
    """
    for one, other in rivals:
        if getattr(keys, one) and getattr(keys, other):
            raise ValueError(f"{one} and {other} exclude each other")


def kind_of(body: Secret | None) -> dict[str, str]:
    """The header that says that a text is JSON, if it looks so."""
    is_json = body is not None and body.reveal().lstrip()[:1] in ("{", "[")
    return {"Content-Type": "application/json"} if is_json else {}


def body_of(form: Mapping[str, Secret], body: Secret | None, value: str) -> dict[str, Any]:
    """What a request sends, as its keys; *value* takes the place of ``{before}``."""
    if form:
        return {"form": {name: secret.reveal().replace("{before}", value) for name, secret in form.items()}}
    if body is None:
        return {}
    return {"method": "POST", "body": body.reveal().replace("{before}", value).encode()}
