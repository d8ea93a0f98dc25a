"""What ``[pollctl.fanout]`` may say, and what ``check`` finds in it (scale 3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme

from pollctl.config.schema import Fanout
from pollctl.fanout.connecting import problems_of
from pollctl.redaction import Secret

TLS: Any = {"ca_file": Path("ca.pem"), "cert": Path("cert.pem"), "key": Secret("a-key-in-pem")}
PKCS8_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIC\n-----END ENCRYPTED PRIVATE KEY-----\n"
PKCS1_ENCRYPTED = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIC\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:8786"])
def test_a_scheduler_on_this_machine_needs_no_certificate(address: str) -> None:
    assert Fanout(engine="dask", address=address).address == address


def test_one_elsewhere_is_reached_by_tls_with_a_certificate_of_ours() -> None:
    assert Fanout(engine="dask", address="tls://scheduler.example:8786", **TLS)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("tcp://scheduler.example:8786", "runs code on it: write tls://"),
        ("tcp://192.0.2.7:8786", "runs code on it: write tls://"),
        ("tcp://0.0.0.0:8786", "runs code on it: write tls://"),
        ("tcp://localhost.example.net:8786", "runs code on it: write tls://"),
        ("tcp://[::ffff:192.0.2.7]:8786", "runs code on it: write tls://"),
        ("ws://127.0.0.1:8786", "allowed the scheduler"),
        ("127.0.0.1:8786", "allowed the scheduler"),
        ("tcp://127.0.0.1", "allowed the scheduler"),
        ("tcp://127.0.0.1:port", "allowed the scheduler"),
        ("tcp://127.0.0.1@192.0.2.7:8786", "allowed the scheduler"),
        ("", "allowed the scheduler"),
        ("tls://scheduler.example:8786", "needs ca_file, cert and key"),
    ],
)
def test_any_other_address_is_refused(address: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Fanout(engine="dask", address=address)


def test_what_is_not_used_may_be_anything() -> None:
    assert not list(problems_of(Fanout(address="tcp://scheduler.example:1")))


def test_check_names_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    authority = trustme.CA()
    issued, other = authority.issue_cert("a.example"), authority.issue_cert("b.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls: Any = {"ca_file": tmp_path / "ca.pem", "cert": tmp_path / "cert.pem"}

    def problems(key: bytes, **changed: Any) -> list[str]:
        settings = {"engine": "dask", "address": "tls://a.example:1", **tls, "key": Secret(key.decode()), **changed}
        return list(problems_of(Fanout(**settings)))

    assert not problems(issued.private_key_pem.bytes())
    (mismatch,) = problems(other.private_key_pem.bytes())
    assert "cannot be used together" in mismatch
    (missing,) = problems(issued.private_key_pem.bytes(), ca_file=tmp_path / "none.pem")
    assert "none.pem" in missing
    for encrypted in (PKCS8_ENCRYPTED, PKCS1_ENCRYPTED):
        (asks,) = problems(encrypted)
        assert asks == "pollctl.fanout.key: the key is encrypted, and nobody is there to type its password"
    (garbage,) = problems(b"not a key\nat all")
    assert "not a key" not in garbage
