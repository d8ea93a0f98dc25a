"""What ``subscribe`` is given: options, and CSV files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from plugins.soc_sections.subscription_fields import CONTACT, new_subscription
from plugins.soc_sections.world import INDEX, NOON

from pollctl import UsageError, to_text
from pollctl_soc_sections.commands.subscription_input import read_file

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"index": "5972"}, "write 05972"), ({"campus": "nb"}, "NB NK CM"), ({"term": "fall"}, "write 92026"),
        ({"contact": "secret"}, "not an address that Apprise supports"), ({"contact": "foo://secret"}, "foo://…"),
        ({"window": "8-22"}, "08:00-22:00"), ({"window": "08:00-24:00"}, "08:00-22:00"), ({"max": "11"}, "1 to 10"),
        ({"max": "0"}, "1 to 10"), ({"snooze_until": "tomorrow"}, "snooze_until: 'tomorrow' is not a moment such as 2026-"),
        ({"snooze_until": "2026-09-01T12:00:00"}, "names no zone"), ({"unless_open": "perhaps"}, "yes nor no"),
        ({"snooze_until": "0001-01-01T00:00:00+14:00"}, "outside the calendar"),
        ({"snooze_until": "9999-12-31T23:00:00-14:00"}, "outside the calendar"),
        ({"snooze_until": "2300-01-01T00:00:00Z"}, "not before the year 2300"),
        ({"snooze_until": to_text(NOON)}, f"is past: it is {to_text(NOON)}; give a moment to come"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_valid_is_refused_with_what_would_work(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as refused:
        new_subscription(**changes)
    assert "secret" not in str(refused.value)


def test_a_file_is_taken_whole_or_not_at_all(place: Any) -> None:
    path = place.folder / "subscriptions.csv"
    lines = ["index,term,campus,contact,max", f"{INDEX},92026,NB,{CONTACT},5", f"5972,92026,NB,{CONTACT},5",
             f"05973,92026,nb,{CONTACT},5"]  # fmt: skip
    path.write_text("\n".join(lines))
    refused = place.soc_sections("subscribe", "--from", str(path), code=2)
    assert "subscriptions.csv:3: index: '5972'" in refused.stderr
    assert "subscriptions.csv:4: campus: 'nb'" in refused.stderr
    assert "very-secret" not in refused.stderr
    assert place.json("soc-sections", "subscriptions") == []

    path.write_text("\n".join(lines[:2]))
    (added,) = place.json("soc-sections", "subscribe", "--from", str(path))
    assert (added["max_notifications"], added["contact"]) == (5, "json://…")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the first line must name"),
        ("index,term\n1,2", "the first line must name"),
        ("index,term,campus,contact,colour\n", "the first line must name"),
        (f"index,term,campus,contact\n{INDEX},92026,NB,{CONTACT},more", "more values than names"),
        (f"index,term,campus,contact\n{INDEX},92026", "campus: '' is not a valid campus"),
        ("index,index,term,campus,contact\n", "the first line must name"),
        (f'index,term,campus,contact\n{INDEX},92026,NB,"{CONTACT}\n05973,92026,NB,{CONTACT}\n', "unexpected end"),
        (f'index,term,campus,contact\n{INDEX},92026,NB,"{CONTACT}"x\n', r"subscriptions.csv:2: ',' expected"),
        (f"index,term,campus,contact\n{INDEX},92026,NB,{'x' * 140_000}\n", "field larger than"),
        ("index,term,campus,contact\n", "holds no subscription"),
    ],
    ids=[
        "empty",
        "too few columns",
        "an unknown column",
        "too many values",
        "too few values",
        "a column twice",
        "a quote without an end",
        "a quote within",
        "a value without an end",
        "only names",
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "subscriptions.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=says):
        read_file(path, NOON)


def test_each_of_several_addresses_in_one_contact_is_a_subscription(place: Any) -> None:
    both = "json://127.0.0.1/a, json://127.0.0.1/b"
    words = ["--term", "92026", "--campus", "NB", "--contact", both]
    assert place.soc_sections("subscribe", INDEX, *words).stdout.split() == ["1", "2"]
    path = place.folder / "subscriptions.csv"
    path.write_text(f'index,term,campus,contact\n05973,92026,NB,"{both}"\n')
    assert place.soc_sections("subscribe", "--from", str(path)).stdout.split() == ["3", "4"]
    contacts = place.sql("SELECT DISTINCT contact FROM soc_subscriptions ORDER BY 1")
    assert contacts == [("json://127.0.0.1/a",), ("json://127.0.0.1/b",)]
