"""Targets as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from pollctl_latency.client.targets import infer_probe, target_error


@pytest.mark.parametrize(
    ("target", "probe"),
    [
        ("https://example.net/x", "http"), ("example.net:5432", "tcp"), ("192.0.2.7:22", "tcp"),
        ("[2001:db8::1]:22", "tcp"), ("192.0.2.7", None), ("router-7", None), ("2001:db8::1", None),
    ],
)  # fmt: skip
def test_the_probe_is_inferred_from_the_target(target: str, probe: Any) -> None:
    assert infer_probe(target) == probe
    assert target_error(target, probe or "icmp") is None


@pytest.mark.parametrize(
    ("target", "probe"),
    [
        ("", "api"), ("a b", "api"), ("a\nb", "api"), ("..", "api"), ("http://example.net", "api"),
        ("example.net", "tcp"), ("example.net:0", "tcp"), ("example.net:65536", "tcp"), (":22", "tcp"),
        ("ftp://example.net/", "http"), ("http://", "http"), ("http://[::1/", "http"),
        ("http://a:99999/", "http"),
    ],
)  # fmt: skip
def test_a_malformed_target_is_named_with_a_remedy(target: str, probe: Any) -> None:
    assert target_error(target, probe)
