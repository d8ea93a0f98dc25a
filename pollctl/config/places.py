"""Where the settings lie, and the database where there are none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pollctl.errors import ConfigError
from pollctl.redaction import one_line

VARIABLE = "POLLCTL_CONFIG"


def find(named: str | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The settings file: *named*, by ``$POLLCTL_CONFIG``, or the first of the usual places; None without any.

    Raises:
        ConfigError: a file that was named, by option or variable, is missing; or the name is empty.
    """
    if named == "":
        raise ConfigError("--config names no file")
    for source, name in (("--config", named), (f"${VARIABLE}", environ.get(VARIABLE))):
        if not name:
            continue
        if not os.path.lexists(name):
            raise ConfigError(f"{one_line(name)}: no such file; it was named by {source}")
        return Path(name)
    return next((path for path in _usual_places(environ) if os.path.lexists(path)), None)


def plugins_dir(named: str | None) -> Path | None:
    """The folder of plugins of one file, read alone: for names of commands, and where other settings are wrong."""
    from pollctl.config.toml import read

    try:
        path = find(named)
        core = read(path).get("pollctl") if path else None
    except ConfigError:
        return None
    written = core.get("plugins_dir") if isinstance(core, dict) else None
    return path.absolute().parent / written if path and isinstance(written, str) and written else None


def data_folder() -> Path:
    """The user's folder for a database that no settings file names, made if it is not there.

    Raises:
        ConfigError: the user has no home, or its path is not UTF-8.
    """
    import platformdirs

    try:
        folder = platformdirs.user_data_path("pollctl", appauthor=False)
    except RuntimeError:  # neither HOME nor an entry in passwd
        folder = Path()
    if not folder.is_absolute():  # which is how older versions of platformdirs say the same
        raise ConfigError("there is no home folder to keep a database in: name a settings file with --config")
    require_utf8(folder)
    with suppress(OSError):  # whoever needs it tells why it is not there
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def require_utf8(path: Path) -> None:
    """See that SQLite and the database can be told of a path.

    Raises:
        ConfigError: it is not UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{one_line(str(path))}: the path is not UTF-8; move the settings to another") from None


def _usual_places(environ: Mapping[str, str]) -> list[Path]:
    places = [Path("pollctl.toml"), Path("/etc/pollctl/config.toml")]
    folder = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):  # noqa: PTH117 - a relative one is to be ignored, says the XDG specification
        folder = f"{environ['HOME']}/.config" if environ.get("HOME") else ""
    if folder:
        places.insert(1, Path(folder, "pollctl/config.toml"))
    return places
