"""One value from TOML as one typed value, where TOML has no word for the type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from zoneinfo import ZoneInfo

from pollctl.config.files import UnfitFileError, read_at_most, why_unread
from pollctl.config.messages import ZONE, shown
from pollctl.redaction import Secret, one_line
from pollctl.units import Duration, HttpUrl, Size

LONGEST = Duration(days=36_500)
LARGEST_SECRET = 65_536
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RefusedError(ValueError):
    """A value that is wrong for a reason of its own; the text is the whole problem."""


class Decoder:
    """Turns TOML values into types that TOML has no word for (the ``dec_hook`` of msgspec).

    Args:
        base: the folder that relative paths start from.
        environ: where ``{ env = "NAME" }`` looks.
        is_obeyed: whether somebody acts by the settings; else it does not matter who may have written secret files.
    """

    def __init__(self, base: Path, environ: Mapping[str, str], *, is_obeyed: bool = True) -> None:
        self._base = base
        self._environ = environ
        self._is_obeyed = is_obeyed

    def __call__(self, kind: type, raw: Any) -> Any:
        """*raw* as a *kind*.

        Raises:
            ValueError: it is none; the message says why where the type alone does not.
        """
        if kind is Secret:
            return self._secret(raw)
        if not isinstance(raw, str):
            raise ValueError  # noqa: TRY004 - what msgspec expects of a wrong value, whatever is wrong with it
        if kind is ZoneInfo:
            return _zone(raw)
        if issubclass(kind, PurePath):
            return self._path(raw)
        if issubclass(kind, Duration):
            return _duration(kind, raw)
        if issubclass(kind, Size | HttpUrl):
            return kind.parse(raw)
        if hasattr(kind, "parse"):
            return _parsed(kind, raw)
        raise NotImplementedError(f"a setting cannot be a {kind.__name__}: give the type a classmethod parse(text)")

    def _path(self, raw: str) -> Path:
        if not raw or "\0" in raw:
            raise ValueError
        if raw.startswith("~"):
            raise RefusedError(f"found {shown(raw)}; ~ is not expanded: write the whole path")
        return self._base / raw

    def _secret(self, raw: Any) -> Secret:
        if isinstance(raw, str):
            return Secret(raw)
        match raw:
            case {"env": str(name)} if len(raw) == 1:
                return self._from_environment(name)
            case {"file": str(name)} if len(raw) == 1:
                return self._from_file(self._path(name))
        raise ValueError

    def _from_environment(self, name: str) -> Secret:
        if not _VARIABLE.fullmatch(name):
            # the secret itself in the place of the name is an easy mistake: do not repeat it
            raise RefusedError("env must be the name of an environment variable: letters, digits and _")
        value = self._environ.get(name, "")
        if not value:
            raise RefusedError(f"environment variable {name} is not set, or empty")
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise RefusedError(f"environment variable {name} is not UTF-8")
        return Secret(value)

    def _from_file(self, path: Path) -> Secret:
        name = f'"{one_line(str(path))}"'
        try:
            content = read_at_most(path, LARGEST_SECRET, is_obeyed=self._is_obeyed)
        except UnfitFileError as error:
            raise RefusedError(f"secret file {name} is {error}") from error
        except IsADirectoryError as error:
            raise RefusedError(f"secret file {name} is not a regular file") from error
        except OSError as error:
            raise RefusedError(f"secret file {name} cannot be read: {why_unread(path, error)}") from error
        return _secret_in(content, name)


def _secret_in(content: bytes, name: str) -> Secret:
    if len(content) > LARGEST_SECRET:
        raise RefusedError(f"secret file {name} is larger than 64 KB")
    try:
        value = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise RefusedError(f"secret file {name} is not UTF-8") from None
    if not value:
        raise RefusedError(f"secret file {name} is empty")
    return Secret(value)


def _duration(kind: type[Duration], raw: str) -> Duration:
    try:
        value = kind.parse(raw)
    except OverflowError:
        value = None
    if value is None or value > LONGEST:
        raise RefusedError(f'found {shown(raw)}; allowed at most "{LONGEST}"')
    return value


def _parsed(kind: Any, raw: str) -> Any:
    try:
        return kind.parse(raw)
    except ValueError as error:  # a type of a plugin: only itself knows what is allowed
        raise RefusedError(f"found text; {error}") from error


def _zone(raw: str) -> ZoneInfo:
    try:
        return ZoneInfo(raw)
    except (KeyError, ValueError, OSError):  # unknown; not a zone's name; a folder of zones
        raise RefusedError(f"found {shown(raw)}; allowed {ZONE}{_zone_hint(raw)}") from None


def _zone_hint(raw: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    zones = {zone.lower(): zone for zone in sorted(available_timezones())}
    near = get_close_matches(raw.lower(), zones, n=1, cutoff=0.7)
    return f' (did you mean "{zones[near[0]]}"?)' if near else ""
