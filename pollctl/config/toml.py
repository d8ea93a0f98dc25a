"""A TOML file as tables, and what is wrong with one that is not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pollctl.config.files import UnfitFileError, read_at_most, why_unread
from pollctl.errors import ConfigError
from pollctl.redaction import one_line

LARGEST = 1_000_000
_POSITION = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_SETTING = re.compile(r"\s*([\w.-]{1,40})\s*=\s*[^\s=]")
_DEEPEST = 50
_BETWEEN_KEYS = re.compile(r"[\n=,\[\]{}]")
# Each alternative ends at the end of the file or the line too, so that no character is looked at twice.
_TEXTS = re.compile(
    r"\"{3}(?:[^\\]|\\.)*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)|\"(?:[^\\\"\n]|\\.)*+(?:\"|$)|'[^'\n]*+(?:'|$)|#[^\n]*+",
    re.DOTALL | re.MULTILINE,
)
_HEADER = re.compile(r"\s*\[{1,2}[\w.-]+\]{0,2}\s*")


def read(path: Path, *, is_obeyed: bool = True) -> dict[str, Any]:
    """The tables of a TOML file.

    Args:
        path: the file.
        is_obeyed: whether somebody acts by what it says; else it does not matter who may have written it.

    Raises:
        ConfigError: the file cannot be read, strangers may have written it, it is larger than 1 MB, or not TOML; names line and
            column.
    """
    try:
        content = read_at_most(path, LARGEST, is_obeyed=is_obeyed)
    except UnfitFileError as error:
        raise ConfigError(f"{one_line(str(path))}: {error}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{one_line(str(path))}: cannot be read: {why_unread(path, error)}") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{one_line(str(path))}: larger than 1 MB; that is not a settings file")
    try:
        return parse(content)
    except ValueError as error:
        # `from None`: a traceback must not show what is around the fault, which may be a secret
        raise ConfigError(f"{one_line(str(path))}: {one_line(str(error))}") from None


def parse(content: bytes) -> dict[str, Any]:
    """The tables in *content*.

    Raises:
        ValueError: it is not TOML; says where, and shows no value.
    """
    text = _decode(content)
    if _has_deep_key(text):
        raise ValueError("tables or lists are nested too deeply")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(_explain(str(error), text)) from None
    except RecursionError:
        raise ValueError("tables or lists are nested too deeply") from None
    except ValueError:  # from int()
        raise ValueError("a number in it has too many digits") from None


def _has_deep_key(text: str) -> bool:
    """Whether a dotted key may have more parts than a key can: tomllib takes a minute over one of fifty thousand."""
    bare = _TEXTS.sub("", text)
    return any(part.count(".") > _DEEPEST for part in _BETWEEN_KEYS.split(bare))


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: byte 0x{content[error.start]:02x} is not UTF-8") from None


def _explain(message: str, text: str) -> str:
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    match = _POSITION.fullmatch(message)
    if match is None:
        return message
    number = int(match[2] or len(lines))
    place = f"line {number}, column {match[3]}" if match[3] else f"line {number}, the end of the file"
    return f"{place}: {match[1]}{_shown(lines, number)}"


def _shown(lines: list[str], number: int) -> str:
    """The offending line without its value: a file that does not parse cannot tell what is secret."""
    before, line = "\n".join(lines[: number - 1]), (lines[number - 1] if number <= len(lines) else "")
    if before.count('"""') % 2 or before.count("'''") % 2:
        return ""  # inside a text of several lines
    if _HEADER.fullmatch(line):
        return f", in: {line.strip()}"
    setting = _SETTING.match(line)
    return f", in: {setting[1]} = ..." if setting else ""
