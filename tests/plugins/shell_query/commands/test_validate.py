"""``validate``."""

from __future__ import annotations

import pytest
from plugins.shell_query.place import SQL, Place

from pollctl_shell_query.fake import HTML_500, Reply


def test_valid_sql_is_valid(place: Place) -> None:
    assert place.do("shell-query", "validate", "--sql", SQL) == "valid\n"
    assert place.upstream.asked == ["token", "validate"]


def test_invalid_sql_prints_why(place: Place) -> None:
    place.do("shell-query", "validate", "--sql", "SELEC 1", code=1)
    assert "Incorrect syntax" in place.stderr


@pytest.mark.parametrize(
    "reply", [HTML_500, Reply(body=b"[]"), Reply(body=b'{"queryValid": "yes"}'), Reply(status=403), Reply(is_lost=True)]
)
def test_what_could_not_be_validated_says_so(place: Place, reply: Reply) -> None:
    place.upstream.replies["validate"] = [reply]
    place.do("shell-query", "validate", "--sql", SQL, code=1)
    assert "could not be validated" in place.stderr


def test_a_command_that_must_ask_names_the_settings_it_lacks(place: Place) -> None:
    place.configure(auth_url="", client_secret="")
    place.do("shell-query", "validate", "--sql", SQL, code=2)
    assert "auth_url is empty" in place.stderr
    assert "client_secret is empty" in place.stderr
