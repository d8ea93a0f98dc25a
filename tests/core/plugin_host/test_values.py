"""Values with rules over several fields: judged by what they can be, recorded as what they are (authors.md, rule 13)."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_plugins import valued
from core.parrot import Parrot
from plugin_package import json_of

LOGIN = """
from collections.abc import Mapping
from pollctl import Secret
class Login(msgspec.Struct, frozen=True, kw_only=True):
    user: str = ""
    token: Secret = Secret("")
    form: Mapping[str, Secret] = {}
    body: Secret | None = None
    def __post_init__(self):
        if self.user and self.token:
            raise ValueError("user and token exclude each other")
        if self.form and self.body:
            raise ValueError("form and body exclude each other")
"""


@pytest.mark.parametrize(
    "field",
    [
        "login: Login = Login()",
        "login: Login | None = None",
        "logins: tuple[Login, ...] = ()",
        "logins: dict[str, Login] = {}",
    ],
)
def test_a_rule_over_several_fields_of_a_nested_value_is_nothing_against_it(tmp_path: Path, field: str) -> None:
    place = Parrot(tmp_path)
    place.plugin("careful", valued("Settings", field, module=f"import msgspec\n{LOGIN}"))
    assert [row for row in json_of(place.call("check", "--json")) if row["level"] == "FAIL"] == []


def test_what_breaks_in_a_recording_is_found_behind_such_a_rule(tmp_path: Path) -> None:
    rule = "a: str = ''\nb: str = ''\nc: str = ''\ndef __post_init__(self):\n    if self.a and self.b:\n        raise ValueError"
    changed = f"{rule}\n    msgspec.structs.force_setattr(self, 'c', self.c and self.c + '!')"
    place = Parrot(tmp_path)
    place.plugin("careless", valued("Batch", changed))
    failed = [row["text"] for row in json_of(place.call("check", "--json")) if row["level"] == "FAIL"]
    assert "comes back as" in "".join(failed)


def test_a_secret_that_is_not_given_is_recorded_as_none_so_that_its_rule_holds_in_a_replay(tmp_path: Path) -> None:
    place = Parrot(tmp_path)
    place.plugin(
        "careful",
        valued("Settings", "login: Login = Login()", f"import msgspec\n{LOGIN}", load="(db):\n    return State()"),
    )
    place.settings('[plugins.careful]\nrecord = "all"\nlogin = {user = "ann"}')
    place.do("run", "careful")
    assert "same" in place.do("replay", "--all", "--json")
