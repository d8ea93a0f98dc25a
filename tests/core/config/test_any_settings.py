"""Settings of any shape give settings or a configuration error, never anything else."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

from core.config.section import Own
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from pollctl.config.settings import load
from pollctl.errors import ConfigError
from pollctl.redaction import one_line

scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["1s", "0s", "UTC", "1MB", "once", "~"]),
)
key_names = st.one_of(
    st.sampled_from(
        ["pollctl", "plugins", "own", "http", "deadline", "window", "timezone", "urls", "monitors", "enabled"]
    ),
    st.text(string.printable, min_size=1, max_size=8),
)
tables = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(key_names, inner, max_size=4)),
    max_leaves=20,
)
TOP = {"pollctl": tables, "plugins": st.one_of(tables, st.fixed_dictionaries({"own": tables}))}
gently = limits(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{as_toml(key)} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08X}" if not "\ud800" <= c <= "\udfff" else "?" for c in value) + '"'
    return str(value).lower()


def assert_told_in_lines(path: Path) -> None:
    """Whatever is not a ConfigError fails the test by itself."""
    problems: tuple[str, ...] = ()
    try:
        config = load(path, {})
        for name in config.names:
            config.settings(name, Own)
    except ConfigError as error:
        problems = error.problems or ("",)
    assert all(line and one_line(line) == line for line in problems)


@gently
@given(st.fixed_dictionaries({}, optional=TOP))
def test_tables_of_any_shape_give_settings_or_a_configuration_error(tmp_path: Path, content: dict[str, Any]) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text("\n".join(f"{key} = {as_toml(value)}" for key, value in content.items()), encoding="utf-8")
    assert_told_in_lines(path)


@gently
@given(st.one_of(st.binary(max_size=200), st.text("[]{}=\"'\\\n .#_-+:,0xpolctugins", max_size=80).map(str.encode)))
def test_bytes_of_any_kind_give_settings_or_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_bytes(content)
    assert_told_in_lines(path)
