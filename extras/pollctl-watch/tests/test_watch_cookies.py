"""Cookies out of headers that were joined into one."""

import pytest
from msgspec.structs import replace
from pages import answer

from pollctl_watch.client import cookies


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1; Path=/; Secure, b=2; HttpOnly", {"a": "1", "b": "2"}),
        ("a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/, b=x=y; expires=Thu, 01-Jan-70 00:00:00 GMT", {"a": "1", "b": "x=y"}),
        ("a=1, b=2,c=", {"a": "1", "b": "2", "c": ""}),
        ("nothing", {}),
    ],
)  # fmt: skip
def test_each_cookie_is_found_whatever_dates_stand_between(header: str, found: dict[str, str]) -> None:
    assert cookies.set_by(replace(answer(""), headers={"set-cookie": header} if header else {})) == found
