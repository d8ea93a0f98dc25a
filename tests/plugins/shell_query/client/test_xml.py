"""Answers in XML: what is read, and what is refused."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.shell_query.listening import listening

from pollctl_shell_query.client.xml import (
    FaultError,
    MalformedError,
    content,
    has_dtd,
    moment,
    parse,
    properties,
    retrieved,
)
from pollctl_shell_query.fake import envelopes

HOSTILE = ("dtd", "entities", "external", "laughs", "deep", "wide", "attributes", "truncated")


# what is read


def test_a_status_is_read_from_its_properties() -> None:
    body = envelopes.statuses([{"Status": "Queued", "CompletedDate": "3/8/2026", "ErrorMsg": "a < b & c"}])
    (found,) = retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")
    assert properties(found) == {"Status": "Queued", "CompletedDate": "3/8/2026", "ErrorMsg": "a < b & c"}


def test_more_data_available_is_ok_and_an_error_with_results_is_not() -> None:
    for overall in ("OK", "MoreDataAvailable"):
        body = envelopes.statuses([{"Status": "Queued"}], overall=overall)
        assert len(retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")) == 1
    for overall in ("Error", "Error: the object is unknown", "", "ok then"):
        body = envelopes.statuses([{"Status": "Complete"}], overall=overall)
        with pytest.raises(MalformedError, match=overall or "no OverallStatus"):
            retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")


@pytest.mark.parametrize("kind", ["Surprise", "xsd:ObjectExtension", "soap:ObjectExtension", "QueryDefinition", ""])
def test_an_unknown_type_is_malformed(kind: str) -> None:
    body = envelopes.statuses([{"Status": "Complete"}], kind=kind)
    with pytest.raises(MalformedError, match="not ObjectExtension"):
        retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")


def test_a_type_with_the_prefix_of_the_api_is_known() -> None:
    body = envelopes.statuses([{"Status": "Queued"}], kind="p:ObjectExtension")
    body = body.replace(b"<Results ", b'<Results xmlns:p="http://exacttarget.com/wsdl/partnerAPI" ')
    assert len(retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")) == 1


def test_a_fault_says_whether_it_is_about_the_token() -> None:
    for message in ("Login Failed", "Token Expired"):
        with pytest.raises(FaultError, match=message) as caught:
            content(envelopes.fault("q0:Security", message), "RetrieveResponseMsg")
        assert caught.value.is_security
    with pytest.raises(FaultError) as other:
        content(envelopes.fault("soap:Server", "Security is busy"), "RetrieveResponseMsg")
    assert not other.value.is_security


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>x", b"<html/>", b"{}", b"\xff\xfe<\x00a\x00", b"\x00", b"<a>\x00</a>"]
)
def test_what_is_no_envelope_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        content(body, "RetrieveResponseMsg")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_read_or_malformed(noise: bytes) -> None:
    for body in (noise, envelopes.envelope("").replace(b"<soap:Body>", b"<soap:Body>" + noise)):
        try:
            content(body, "RetrieveResponseMsg")
        except (MalformedError, FaultError):
            continue
        raise AssertionError(body)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_damaged_answer_is_never_repaired_into_another_status(place: int, damage: bytes) -> None:
    good = envelopes.statuses([{"Status": "Processing"}])
    place %= len(good)
    damaged = good[:place] + damage + good[place + 1 :]
    try:
        found = retrieved(content(damaged, "RetrieveResponseMsg"), "ObjectExtension")
    except (MalformedError, FaultError):
        return
    assert all("omplete" not in text and "rror" not in text for one in found for text in properties(one).values())


def test_moments_without_a_zone_are_us_central_standard_time() -> None:
    assert moment("2026-07-08T06:00:00.123") == datetime(2026, 7, 8, 12, 0, 0, 123000, tzinfo=UTC)
    assert moment("2026-07-08T06:00:00Z") == datetime(2026, 7, 8, 6, tzinfo=UTC)
    assert moment("0001-01-01T00:00:00+14:00") is None
    assert moment("9999-12-31T23:59:59") is None
    assert moment("7/8/2026 6:00:00 AM") is None


# what is refused


@pytest.mark.parametrize(
    ("body", "has_it"),
    [
        (b"<!DOCTYPE a><a/>", True),
        (b"\xef\xbb\xbf \n<?xml version='1.0'?><!-- <a> --><?x y?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>", True),
        (b"<?xml version='1.0'?><a><![CDATA[<!DOCTYPE b>]]></a>", False),
        (b"<a/>", False),
        (b"<!-- no end", False),
        (b"", False),
    ],
)
def test_a_dtd_is_seen_before_a_parser_sees_it(body: bytes, has_it: bool) -> None:
    assert has_dtd(body) is has_it


def test_a_dtd_behind_another_encoding_is_refused_too() -> None:
    for body in (
        '<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE a+AD4-<a/>',
        "<?xml version='1.0'?><!DOCTYPE a><a/>",
    ):
        with pytest.raises(MalformedError):
            parse(body.encode())
    with pytest.raises(MalformedError):
        parse("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a><a/>".encode("utf-16"))


MEASURE = """
import json, sys, time
from pollctl_shell_query.client.xml import FaultError, MalformedError, content, retrieved
from pollctl_shell_query.fake import envelopes
from pollctl_shell_query.fake.hostile import hostile
def peak():  # of this program; what getrusage says counts the one that it was forked from
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
body = hostile(sys.argv[1], sys.argv[2])
content(envelopes.statuses([{"Status": "Queued"}]), "RetrieveResponseMsg")
before, began = peak(), time.perf_counter()
try:
    retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")
    outcome = "read"
except MalformedError as error:
    outcome = str(error)
took = time.perf_counter() - began
print(json.dumps([outcome, took, peak() - before, len(body)]))
"""


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_xml_is_refused_in_a_second_within_32_mb_and_without_a_request(kind: str) -> None:
    with listening() as (address, visits):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, kind, address], capture_output=True, text=True, check=True
        )
    outcome, took, grown_kb, size = json.loads(done.stdout)
    print(f"{kind}: {size} bytes, {took * 1000:.1f} ms, + {grown_kb} KB: {outcome}")
    assert outcome != "read"
    assert took < 1
    assert grown_kb < 32 * 1024
    assert visits == []


def test_the_measure_would_see_memory_and_a_visit() -> None:
    script = MEASURE.replace("outcome = str(error)", "outcome = str(error); held = b'x' * 64 * 1024**2")
    done = subprocess.run(
        [sys.executable, "-c", script, "dtd", "http://127.0.0.1:9/"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)[2] > 32 * 1024
    with listening() as (address, visits):
        socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1].strip("/")))).close()
    assert visits == [1]


@pytest.mark.parametrize(
    "reference",
    [
        "&#x1F;",
        "&#31;",
        "&#0;",
        "&#x0;",
        "&#xD800;",
        "&#xFFFE;",
        "&#x110000;",
        "&#99999999999999999999;",
        "&#x0000001f;",
    ],
)
def test_a_reference_to_a_character_that_xml_forbids_is_dropped(reference: str) -> None:
    body = envelopes.statuses([{"Status": "Error", "ErrorMsg": "bad @value"}]).replace(b"@", reference.encode())
    (found,) = retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")
    assert properties(found) == {"Status": "Error", "ErrorMsg": "bad value"}


@pytest.mark.parametrize(("reference", "char"), [("&#xE9;", "é"), ("&#65;", "A"), ("&#x1F600;", "😀"), ("&amp;", "&")])
def test_any_other_reference_stays(reference: str, char: str) -> None:
    body = envelopes.statuses([{"Status": "Error", "ErrorMsg": "bad @"}]).replace(b"@", reference.encode())
    (found,) = retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")
    assert properties(found)["ErrorMsg"] == f"bad {char}"


@pytest.mark.parametrize("raw", [b"\x1f", b"&#x1F", b"&x1F;", b"&#xZZ;"])
def test_nothing_else_is_repaired(raw: bytes) -> None:
    body = envelopes.statuses([{"Status": "Error", "ErrorMsg": "bad @ value"}]).replace(b"@", raw)
    with pytest.raises(MalformedError):
        content(body, "RetrieveResponseMsg")
