"""SOAP: what is sent, what is read, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pollctl import Answer, ConfigError, Request
from pollctl_shell_query.client.soap import BUNDLED, SoapClient, is_foreign, nothing
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
from pollctl_shell_query.fake import envelopes as xml

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
BESIDE = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "marketing-cloud-partnerapi.wsdl"
PARTNER_WSDL = Path(os.environ.get("POLLCTL_PARTNER_WSDL") or BESIDE)
HOSTILE = ("dtd", "entities", "external", "laughs", "deep", "wide", "attributes", "truncated")


@contextmanager
def listening() -> Iterator[tuple[str, list[int]]]:
    """An address, and how often somebody came to it."""
    visits: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def count() -> None:
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue
                visits.append(1)

        thread = threading.Thread(target=count)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/", visits
        finally:
            time.sleep(0.1)
            stop.set()
            thread.join()


class Sent:
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(request=request, status=200, started_at=NOW, elapsed_ms=1)


def wsdls() -> list[Any]:
    return [pytest.param(BUNDLED, id="bundled"), pytest.param(PARTNER_WSDL, id="the real one")]


def client(wsdl: Path) -> tuple[SoapClient, Sent]:
    if not wsdl.exists():
        pytest.skip(f"{wsdl} is not here")
    sent = Sent()
    return SoapClient(wsdl, sent), sent


# what is sent


@pytest.mark.parametrize("wsdl", wsdls())
def test_both_descriptions_ask_for_the_same_things_at_the_address_of_the_token(wsdl: Path) -> None:
    soap, sent = client(wsdl)
    target = soap.new("InteractionBaseObject", CustomerKey="DE", Name="DE")
    made = soap.new(
        "QueryDefinition", Name="n", CustomerKey="k", QueryText="SELECT 1 WHERE a < 'ü'", TargetType="DE",
        DataExtensionTarget=target, TargetUpdateType="Append",
    )  # fmt: skip
    soap.call("http://127.0.0.1:9", "TOKEN", "Create", Options=nothing(), Objects=[made])
    column = soap.new("DataExtensionField", Name="a", FieldType="Decimal", MaxLength=18, Scale=2)
    soap.call(
        "http://127.0.0.1:9", "TOKEN", "Create", Options=nothing(),
        Objects=[soap.new("DataExtension", CustomerKey="d", Name="d", Fields={"Field": [column]})],
    )  # fmt: skip
    where = soap.new("SimpleFilterPart", Property="TaskID", SimpleOperator="equals", Value=["t1"])
    soap.call(
        "http://127.0.0.1:9", "TOKEN", "Retrieve",
        RetrieveRequest={"ObjectType": "AsyncActivityStatus", "Properties": ["Status"], "Filter": where},
    )  # fmt: skip
    chosen = soap.new("QueryDefinition", ObjectID="o1")
    soap.call(
        "http://127.0.0.1:9",
        "TOKEN",
        "Perform",
        Options=nothing(),
        Action="Start",
        Definitions={"Definition": [chosen]},
    )
    soap.call("http://127.0.0.1:9", "TOKEN", "Delete", Options=nothing(), Objects=[chosen])

    assert {request.url for request in sent.requests} == {"http://127.0.0.1:9/Service.asmx"}
    assert [request.headers["SOAPAction"] for request in sent.requests] == [
        "Create", "Create", "Retrieve", "Perform", "Delete",
    ]  # fmt: skip
    asked = [xml.asked(request.body or b"") for request in sent.requests]
    assert [one.kind for one in asked] == ["create", "create_target", "status", "perform", "delete"]
    assert {one.token for one in asked} == {"TOKEN"}
    assert asked[0].said["QueryText"] == "SELECT 1 WHERE a < 'ü'"
    assert asked[0].said["DataExtensionTarget/CustomerKey"] == "DE"
    assert asked[1].fields == [{"Name": "a", "FieldType": "Decimal", "MaxLength": "18", "Scale": "2"}]
    assert asked[2].value == "t1"
    assert b"Options" not in b"".join(request.body or b"" for request in sent.requests)


def test_the_real_description_is_read_without_a_request_though_it_imports_a_file_from_the_network() -> None:
    if not PARTNER_WSDL.exists():
        pytest.skip(f"{PARTNER_WSDL} is not here")
    assert b'schemaLocation="http' in PARTNER_WSDL.read_bytes()
    script = (
        "import socket, sys\n"
        "def refuse(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto'): raise SystemExit(event)\n"
        "sys.addaudithook(refuse)\n"
        "from pathlib import Path\n"
        "from pollctl_shell_query.client.soap import SoapClient\n"
        f"SoapClient(Path({str(PARTNER_WSDL)!r}), None)\n"
        "print('built')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "built\n", done.stderr


def doctored(tmp_path: Path, old: str, new: str) -> Path:
    """The bundled description with one change."""
    text = BUNDLED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "doctored.wsdl"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


SCHEMA = '<xsd:schema targetNamespace="http://exacttarget.com/wsdl/partnerAPI" elementFormDefault="qualified">'


def test_where_a_description_says_to_send_requests_is_ignored(tmp_path: Path) -> None:
    with listening() as (address, visits):
        soap, sent = client(doctored(tmp_path, "http://127.0.0.1:9/", address))
        soap.call(
            "http://127.0.0.1:1", "T", "Delete", Options=nothing(), Objects=[soap.new("QueryDefinition", ObjectID="o")]
        )
    assert [request.url for request in sent.requests] == ["http://127.0.0.1:1/Service.asmx"]
    assert visits == []


@pytest.mark.parametrize(
    "part",
    [
        '<xsd:include schemaLocation="{address}x.xsd"/>',
        '<xsd:redefine schemaLocation="{address}x.xsd"/>',
        '<xsd:include schemaLocation="//127.0.0.1/x.xsd"/>',
        '<xsd:include schemaLocation="ftp://127.0.0.1/x.xsd"/>',
    ],
)
def test_a_description_that_includes_a_part_from_elsewhere_is_refused_without_a_request(
    tmp_path: Path, part: str
) -> None:
    with listening() as (address, visits):
        path = doctored(tmp_path, SCHEMA, SCHEMA + part.format(address=address))
        with pytest.raises(ConfigError, match="only files are read"):
            client(path)
    assert visits == []


def test_a_description_that_imports_another_from_elsewhere_is_refused_without_a_request(tmp_path: Path) -> None:
    with listening() as (address, visits):
        foreign = f'<wsdl:import namespace="urn:x" location="{address}x.wsdl"/>'
        with pytest.raises(ConfigError, match="only files are read"):
            client(doctored(tmp_path, "<wsdl:types>", foreign + "<wsdl:types>"))
    assert visits == []


def test_a_foreign_import_is_left_out_without_a_request_and_a_local_one_is_read(tmp_path: Path) -> None:
    own = '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:own"/>'
    (tmp_path / "own.xsd").write_text(own)
    with listening() as (address, visits):
        imports = f'<xsd:import namespace="urn:a" schemaLocation="{address}a.xsd"/>'
        imports += '<xsd:import namespace="urn:own" schemaLocation="own.xsd"/>'
        imports += '<xsd:import namespace="http://www.w3.org/XML/1998/namespace"/>'
        client(doctored(tmp_path, SCHEMA, SCHEMA + imports))
    assert visits == []
    (tmp_path / "own.xsd").write_text("<!DOCTYPE a>" + own)
    with pytest.raises(ConfigError, match="DTD"):
        client(tmp_path / "doctored.wsdl")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no acceptable|not acceptable|cannot be used"),
        ("no XML", "not acceptable XML"),
        ("<a/>", "no binding|cannot be used"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DTD"),
    ],
)
def test_what_is_no_description_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "bad.wsdl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=why) as caught:
        client(path)
    assert str(path) in str(caught.value)


def test_a_description_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.wsdl"):
        SoapClient(tmp_path / "nowhere.wsdl", Sent())


@pytest.mark.parametrize(
    ("url", "is_it"),
    [("a.xsd", False), ("/x/a.xsd", False), ("file:///x/a.xsd", False), ("file://host/a.xsd", True), ("", False),
     ("https://127.0.0.1/a", True), ("//127.0.0.1/a", True), ("HTTP://127.0.0.1/a", True), ("ftp://x/a", True)],
)  # fmt: skip
def test_only_files_of_this_machine_are_not_foreign(url: str, is_it: bool) -> None:
    assert is_foreign(url) is is_it


# what is read


def test_a_status_is_read_from_its_properties() -> None:
    body = xml.statuses([{"Status": "Queued", "CompletedDate": "3/8/2026", "ErrorMsg": "a < b & c"}])
    (found,) = retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")
    assert properties(found) == {"Status": "Queued", "CompletedDate": "3/8/2026", "ErrorMsg": "a < b & c"}


def test_more_data_available_is_ok_and_an_error_with_results_is_not() -> None:
    for overall in ("OK", "MoreDataAvailable"):
        body = xml.statuses([{"Status": "Queued"}], overall=overall)
        assert len(retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")) == 1
    for overall in ("Error", "Error: the object is unknown", "", "ok then"):
        body = xml.statuses([{"Status": "Complete"}], overall=overall)
        with pytest.raises(MalformedError, match=overall or "no OverallStatus"):
            retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")


@pytest.mark.parametrize("kind", ["Surprise", "xsd:ObjectExtension", "soap:ObjectExtension", "QueryDefinition", ""])
def test_an_unknown_type_is_malformed(kind: str) -> None:
    body = xml.statuses([{"Status": "Complete"}], kind=kind)
    with pytest.raises(MalformedError, match="not ObjectExtension"):
        retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")


def test_a_type_with_the_prefix_of_the_api_is_known() -> None:
    body = xml.statuses([{"Status": "Queued"}], kind="p:ObjectExtension")
    body = body.replace(b"<Results ", b'<Results xmlns:p="http://exacttarget.com/wsdl/partnerAPI" ')
    assert len(retrieved(content(body, "RetrieveResponseMsg"), "ObjectExtension")) == 1


def test_a_fault_says_whether_it_is_about_the_token() -> None:
    for words in ("Login Failed", "Token Expired"):
        with pytest.raises(FaultError, match=words) as caught:
            content(xml.fault("q0:Security", words), "RetrieveResponseMsg")
        assert caught.value.is_security
    with pytest.raises(FaultError) as other:
        content(xml.fault("soap:Server", "Security is busy"), "RetrieveResponseMsg")
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
    for body in (noise, xml.envelope("").replace(b"<soap:Body>", b"<soap:Body>" + noise)):
        try:
            content(body, "RetrieveResponseMsg")
        except (MalformedError, FaultError):
            continue
        raise AssertionError(body)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_damaged_answer_is_never_repaired_into_another_status(place: int, damage: bytes) -> None:
    good = xml.statuses([{"Status": "Processing"}])
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
from pollctl_shell_query.fake import envelopes as xml
def peak():  # of this program; what getrusage says counts the one that it was forked from
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
body = xml.hostile(sys.argv[1], sys.argv[2])
content(xml.statuses([{"Status": "Queued"}]), "RetrieveResponseMsg")
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


def test_building_a_client_takes_little_time() -> None:
    SoapClient(None, Sent())
    best = min(_took(lambda: SoapClient(None, Sent())) for _ in range(5))
    assert best < timedelta(milliseconds=60)


def _took(call: Any) -> timedelta:
    began = time.perf_counter()
    call()
    return timedelta(seconds=time.perf_counter() - began)
