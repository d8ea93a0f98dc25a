"""Secrets are read from where the settings say, and no message ever repeats one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from pollctl.config.settings import load
from pollctl.errors import ConfigError
from pollctl.redaction import Secret

HIDDEN = "hunter2-swordfish"


class Inner(Struct, frozen=True, kw_only=True):
    key: Secret


class Own(Struct, frozen=True, kw_only=True):
    token: Secret = Secret("")
    maybe: Secret | None = None
    many: tuple[Secret, ...] = ()
    few: frozenset[Secret] = frozenset()
    by_name: dict[str, Secret] = {}
    inner: Inner | None = None
    rows: list[Inner] = []

    def __post_init__(self) -> None:
        if self.maybe:
            raise ValueError(f"maybe must not be {self.maybe.reveal()}")


def read(folder: Path, section: str, environ: dict[str, str] | None = None) -> Own:
    path = folder / "pollctl.toml"
    path.write_text(f"[plugins.own]\n{section}", encoding="utf-8")
    return load(path, environ or {}).settings("own", Own)


def problem(folder: Path, section: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as error:
        read(folder, section, environ)
    (line,) = error.value.problems
    return line.removeprefix(f"{folder}/pollctl.toml: plugins.own.").replace(str(folder), "HERE")


def test_a_secret_is_plain_text_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\r\n", encoding="utf-8")
    section = "many = ['plain', { env = 'TOKEN' }, { file = 'key' }]"
    own = read(tmp_path, section, {"TOKEN": "from the environment"})
    assert [secret.reveal() for secret in own.many] == ["plain", "from the environment", "from a file"]


def test_a_secret_file_keeps_its_inner_lines_and_spaces(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" a\nb \n", encoding="utf-8")
    assert read(tmp_path, "token = { file = 'key' }").token.reveal() == " a\nb "


def test_a_secret_file_is_relative_to_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("here", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read(tmp_path, "token = { file = 'key' }").token.reveal() == "here"


def test_secrets_of_a_plugin_are_not_resolved_before_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text("[plugins.own]\ntoken = { env = 'GONE' }", encoding="utf-8")
    config = load(path, {})
    assert config.timing_and_limits("own").enabled
    with pytest.raises(ConfigError):
        config.settings("own", Own)


WRONG = {
    "missing variable": ("{ env = 'GONE' }", "environment variable GONE is not set, or empty"),
    "empty variable": ("{ env = 'EMPTY' }", "environment variable EMPTY is not set, or empty"),
    "variable that is not UTF-8": ("{ env = 'BYTES' }", "environment variable BYTES is not UTF-8"),
    "missing file": (
        "{ file = 'gone' }",
        'secret file "HERE/gone" cannot be read: No such file or directory',
    ),
    "empty file": ("{ file = 'empty' }", 'secret file "HERE/empty" is empty'),
    "file that is not UTF-8": ("{ file = 'bytes' }", 'secret file "HERE/bytes" is not UTF-8'),
    "huge file": ("{ file = 'huge' }", 'secret file "HERE/huge" is larger than 64 KB'),
    "folder": ("{ file = '.' }", 'secret file "HERE" is not a regular file'),
    "pipe": ("{ file = 'pipe' }", 'secret file "HERE/pipe" is not a regular file'),
    "home folder": ("{ file = '~/key' }", 'found "~/key"; ~ is not expanded: write the whole path'),
}


@pytest.mark.parametrize(("secret", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_secret_that_cannot_be_had_is_named(tmp_path: Path, secret: str, expected: str) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "huge").write_bytes(b"x" * 65_537)
    os.mkfifo(tmp_path / "pipe")
    environ = {"EMPTY": "", "BYTES": os.fsdecode(b"a\xff")}
    assert problem(tmp_path, f"token = {secret}", environ) == f"token: {expected}"


HIDING_PLACES: dict[str, Any] = {
    "unknown key": f"tokn = '{HIDDEN}'",
    "unknown table": f"other = {{ token = '{HIDDEN}' }}",
    "text for a list": f"many = '{HIDDEN}'",
    "text for a set": f"few = '{HIDDEN}'",
    "text for a table": f"by_name = '{HIDDEN}'",
    "text for an inner table": f"inner = '{HIDDEN}'",
    "text for a row": f"rows = ['{HIDDEN}']",
    "list for a secret": f"token = ['{HIDDEN}']",
    "wrong item beside it": f"few = ['{HIDDEN}', 5]",
    "unknown key beside it": f"token = {{ env = 'X', default = '{HIDDEN}' }}",
    "unknown way": f"token = {{ value = '{HIDDEN}' }}",
    "value for a name": f"token = {{ env = '{HIDDEN}' }}",
    "name that is not text": f"token = {{ env = ['{HIDDEN}'] }}",
    "secret with a missing neighbour": f"rows = [{{ key = '{HIDDEN}' }}, {{}}]",
    "message of the plugin": f"maybe = '{HIDDEN}'",
    "core key": f"client = {{ deadline = '{HIDDEN}' }}",
}


@pytest.mark.parametrize("section", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_a_message_never_repeats_a_secret(tmp_path: Path, section: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, section)
    assert "swordfish" not in str(error.value)


BROKEN = {
    "open text": f'token = "{HIDDEN}',
    "no quotes": f"token = {HIDDEN}",
    "text after text": f'token = "{HIDDEN}" "{HIDDEN}"',
    "inside a list": f'many = [\n  "{HIDDEN}"\n  "{HIDDEN}"\n]',
    "list in one line": f'many = ["{HIDDEN}" 5]',
    "inline table": f'inner = {{ key = "{HIDDEN}" 5 }}',
    "text of several lines": f'token = """\n{HIDDEN} = x\\y\n"""',
    "literal text of several lines": f"token = '''\n{HIDDEN} = x\x01\n'''",
    "bare word": f"{HIDDEN}",
    "base64 with its tail": 'token = """\nsome\\qswordfish==\n"""',
    "bad escape": f'token = "{HIDDEN}\\q"',
    "key twice": f'token = "{HIDDEN}"\ntoken = "{HIDDEN}"',
}


@pytest.mark.parametrize("section", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_does_not_parse_gives_no_secret_away(tmp_path: Path, section: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, section)
    (line,) = error.value.problems
    assert "line " in line
    assert "swordfish" not in line
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
