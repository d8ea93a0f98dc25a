"""Both engines: each test of this room runs over libcurl too, where the extra ``curl`` is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

OF_ONE_ENGINE = ("test_connecting", "test_no_proxy", "test_session", "test_words", "test_engines")
"""Files about what does not depend on it."""

SLOW = ("test_hostile", "test_many", "test_client_certificates")
"""Files whose other half `make slow` runs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask everything of both."""
    name = metafunc.module.__name__.rpartition(".")[2]
    if name not in OF_ONE_ENGINE:
        marks = [pytest.mark.slow] if name in SLOW else []
        metafunc.parametrize("engine", ["python", pytest.param("curl", marks=marks)], indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The engine that ``auto`` takes in this test."""
    name: str = getattr(request, "param", "python")
    if name == "python":
        monkeypatch.setitem(sys.modules, "pycurl", None)  # as where it is not installed
    elif not find_spec("pycurl"):
        pytest.skip("the extra pollctl[curl] is not installed")
    return name
