"""What the token endpoint grants, and where a token may be sent."""

from __future__ import annotations

import json

import pytest
from plugins.shell_query.place import NOON

from pollctl import Answer, HttpUrl, Request, Secret
from pollctl_shell_query.client import tokens
from pollctl_shell_query.model import Settings


def granted(url: str) -> Answer:
    """An answer of the token endpoint that names an instance."""
    grant = {"access_token": "t", "expires_in": 1080, "soap_instance_url": url, "rest_instance_url": url}
    request = Request(url="https://127.0.0.1/v2/token", method="POST")
    return Answer(request=request, status=200, body=json.dumps(grant).encode(), started_at=NOON, elapsed_ms=1)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "ftp://127.0.0.1/", "//127.0.0.1/", "https:///x", "https://127.0.0.1/?a=b", "https://127.0.0.1/#a",
     "https://who:ever@127.0.0.1/", "https://127.0.0.1/\x1b", "https://127.0.0.1:99999/", ""],
)  # fmt: skip
def test_a_token_goes_to_no_odd_address_and_not_from_tls_to_plain_http(url: str) -> None:
    with_tls = Settings(auth_url=HttpUrl("https://127.0.0.1"), client_id=Secret("a"), client_secret=Secret("b"))
    with pytest.raises(ValueError, match=r"not an acceptable address|port"):
        tokens.read(granted(url), with_tls)
    assert tokens.read(granted("https://127.0.0.1/"), with_tls).soap_url == "https://127.0.0.1"
