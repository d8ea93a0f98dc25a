"""What answers say: open sections, catalogues, failures, and how long to wait."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plugins.soc_sections.world import indexes

from pollctl import Answer, FetchError, Request
from pollctl_soc_sections.client import (
    Target,
    UnreadableError,
    hold_until,
    read_catalogue,
    read_indexes,
    read_poll,
    read_sections,
)
from pollctl_soc_sections.fake import FakeSoc
from pollctl_soc_sections.model import FetchState

NOON = datetime(2026, 8, 3, 16, tzinfo=UTC)


def answer(
    body: bytes = b"[]", status: int = 200, state: FetchState | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    target = Target("92026", "CM", state or FetchState())
    request = Request(url="http://127.0.0.1/", tag=target)
    return Answer(request=request, status=status, body=body, headers=headers or {}, started_at=NOON, elapsed_ms=1)


def course(campus: Any = "CM", **section: Any) -> dict[str, Any]:
    facts = {"index": "23943", "number": "01", "openToText": "", "campusCode": campus, **section}
    return {"courseString": "18:820:522", "title": "PERSONNEL SUP & MGMT", "expandedTitle": "PERSONNEL   SUPERVISION ",
            "sections": [facts]}  # fmt: skip


# rule 1: open sections


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'["10001', b"[10001]", b'"10001"', b"<html></html>", b'["10001"] x', b'["\xff"]', b'[["10001"]]'],
    ids=repr,
)  # fmt: skip
def test_what_is_not_an_array_of_strings_is_not_an_answer(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="not an array of strings"):
        read_indexes(body)


def test_entries_are_trimmed_blanks_dropped_and_duplicates_folded() -> None:
    assert read_indexes(b'[" 00123 ", "", "  ", "00123", "45678"]') == (frozenset({"00123", "45678"}), 0)
    assert read_indexes(b"[]") == (frozenset(), 0)


@pytest.mark.parametrize("wrong", ["5972", "123456", "1234x", "\u0661\u0661\u0661\u0661\u0661", "12 34"])
def test_up_to_one_entry_in_a_hundred_may_be_something_else_than_an_index(wrong: str) -> None:
    listed = [*indexes(0, 99), wrong]
    assert read_indexes(json.dumps(listed).encode()) == (frozenset(indexes(0, 99)), 1)
    with pytest.raises(UnreadableError, match="2 of 101 entries"):
        read_indexes(json.dumps([*listed, "x"]).encode())


def test_an_answer_that_is_recognised_by_its_hash_is_not_parsed() -> None:
    first = read_poll(answer(b'["00001"]'), NOON)
    again = read_poll(answer(b'["00001"]', state=FetchState(settled_hash=first.content_hash)), NOON)
    assert (first.is_same, first.listed) == (False, frozenset({"00001"}))
    assert (again.is_same, again.listed) == (True, frozenset())


# the catalogue


def test_a_section_is_described_by_what_the_catalogue_says() -> None:
    body = json.dumps([course(openToText="UNIT: 18\u0007\n(School)", specialPermissionAddCodeDescription=None)])
    (section,) = read_sections(body.encode(), "CM")

    assert (section.index_number, section.section_number, section.course) == ("23943", "01", "18:820:522")
    assert (section.title, section.open_to, section.permission) == ("PERSONNEL SUPERVISION", "UNIT: 18 (School)", "")


def test_only_the_campus_own_sections_are_taken() -> None:
    body = json.dumps([course("NB"), course(index="00001"), course(None, index="00002"), course("??", index="00003")])
    assert [section.index_number for section in read_sections(body.encode(), "CM")] == ["00001", "00002", "00003"]


@pytest.mark.parametrize(
    "body",
    ["null", "{}", "[[]]", '[{"title": 5, "sections": []}]', "<html>", "[" * 100_000, '[{"sections": [{"index": 12345}]}]'],
    ids=lambda body: body[:20],
)  # fmt: skip
def test_what_is_not_an_array_of_courses_is_not_a_catalogue(body: str) -> None:
    with pytest.raises(UnreadableError, match="not an array of courses"):
        read_sections(body.encode(), "CM")


def test_a_catalogue_of_another_campus_is_refused() -> None:
    with pytest.raises(UnreadableError, match="no section of CM"):
        read_sections(json.dumps([course("NB")]).encode(), "CM")


def test_the_generated_term_has_the_shape_of_the_real_one() -> None:
    with FakeSoc({"NB": 30}) as soc:
        sections = read_sections(soc.catalogue("NB"), "NB")
    assert [section.index_number for section in sections] == [section.index_number for section in soc.sections["NB"]]


READ = """
import re, sys
from pollctl_soc_sections.client import read_sections
print(len(read_sections(sys.stdin.buffer.read(), "NB")))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_reading_21_mb_takes_less_than_250_mb_whatever_the_texts_hold() -> None:
    with FakeSoc() as soc:
        body = soc.catalogue("NB").replace(b'"unitNotes": ""', b'"unitNotes": "[ see {"')
    assert len(body) > 20_000_000
    done = subprocess.run([sys.executable, "-c", READ], input=body, capture_output=True, check=True)
    sections, peak_kb = map(int, done.stdout.split())
    assert sections == 12_000
    assert peak_kb < 250 * 1024


# any answer


@pytest.mark.parametrize(
    ("status", "says"),
    [(400, "check term and campus"), (404, "check term and campus"), (500, "HTTP 500"), (302, "HTTP 302")],
)
def test_a_status_other_than_2xx_is_a_failed_poll(status: int, says: str) -> None:
    assert says in read_poll(answer(b'["00001"]', status), NOON).failure
    assert says in read_catalogue(answer(b"[]", status), NOON).failure


def test_no_answer_is_a_failed_poll() -> None:
    lost = Answer(
        request=answer().request,
        error=FetchError(kind="timeout", message="no whole answer within 10 s"),
        started_at=NOON,
        elapsed_ms=10_000,
    )
    assert read_poll(lost, NOON).failure == "no whole answer within 10 s"


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "150"}, 150), (429, {}, 60), (429, {"retry-after": "soon"}, 60),
        (429, {"retry-after": "99999999999999999999"}, 86_400), (503, {"retry-after": "30"}, 30), (503, {}, None),
        (500, {"retry-after": "30"}, None), (429, {"retry-after": "Mon, 03 Aug 2026 16:02:00 GMT"}, 120),
    ],
)  # fmt: skip
def test_how_long_an_upstream_is_left_alone(status: int, headers: dict[str, str], seconds: int | None) -> None:
    expected = None if seconds is None else NOON + timedelta(seconds=seconds)
    assert hold_until(answer(b"", status, headers=headers), NOON) == expected
