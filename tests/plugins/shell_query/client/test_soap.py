"""SOAP: what is sent, and which descriptions of it are used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from plugins.shell_query.listening import listening

from pollctl import ConfigError
from pollctl_shell_query.client.soap import BUNDLED, SoapClient, left_out
from pollctl_shell_query.client.transport import is_foreign
from pollctl_shell_query.fake.requests import read_request

BESIDE = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "marketing-cloud-partnerapi.wsdl"
PARTNER_WSDL = Path(os.environ.get("POLLCTL_PARTNER_WSDL") or BESIDE)


class Sent(requests.Session):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.headers.clear()
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.requests.append(request)
        return requests.Response()


def body(request: requests.PreparedRequest) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


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
    soap.call("http://127.0.0.1:9", "TOKEN", "Create", Options=left_out(), Objects=[made])
    column = soap.new("DataExtensionField", Name="a", FieldType="Decimal", MaxLength=18, Scale=2)
    soap.call(
        "http://127.0.0.1:9", "TOKEN", "Create", Options=left_out(),
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
        Options=left_out(),
        Action="Start",
        Definitions={"Definition": [chosen]},
    )
    soap.call("http://127.0.0.1:9", "TOKEN", "Delete", Options=left_out(), Objects=[chosen])

    assert {request.url for request in sent.requests} == {"http://127.0.0.1:9/Service.asmx"}
    assert [request.headers["SOAPAction"] for request in sent.requests] == [
        "Create", "Create", "Retrieve", "Perform", "Delete",
    ]  # fmt: skip
    assert not any("User-Agent" in request.headers for request in sent.requests)  # the settings say that
    asked = [read_request(body(request)) for request in sent.requests]
    assert [one.kind for one in asked] == ["create", "create_target", "status", "perform", "delete"]
    assert {one.token for one in asked} == {"TOKEN"}
    assert asked[0].texts["QueryText"] == "SELECT 1 WHERE a < 'ü'"
    assert asked[0].texts["DataExtensionTarget/CustomerKey"] == "DE"
    assert asked[1].fields == [{"Name": "a", "FieldType": "Decimal", "MaxLength": "18", "Scale": "2"}]
    assert asked[2].value == "t1"
    assert b"Options" not in b"".join(body(request) for request in sent.requests)


def test_the_real_description_is_read_without_a_request_though_it_imports_a_file_from_the_network() -> None:
    if not PARTNER_WSDL.exists():
        pytest.skip(f"{PARTNER_WSDL} is not here")
    assert b'schemaLocation="http' in PARTNER_WSDL.read_bytes()
    script = (
        "import socket, sys\n"
        "def refuse(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto'): raise SystemExit(event)\n"
        "sys.addaudithook(refuse)\n"
        "import requests\n"
        "from pathlib import Path\n"
        "from pollctl_shell_query.client.soap import SoapClient\n"
        f"SoapClient(Path({str(PARTNER_WSDL)!r}), requests.Session())\n"
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
            "http://127.0.0.1:1", "T", "Delete", Options=left_out(), Objects=[soap.new("QueryDefinition", ObjectID="o")]
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


def test_building_a_client_takes_little_time() -> None:
    SoapClient(None, Sent())
    best = min(_took(lambda: SoapClient(None, Sent())) for _ in range(5))
    assert best < timedelta(milliseconds=60)


def _took(call: Any) -> timedelta:
    began = time.perf_counter()
    call()
    return timedelta(seconds=time.perf_counter() - began)
