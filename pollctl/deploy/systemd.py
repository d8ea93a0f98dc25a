"""A service and a timer for systemd, which start what is due at each full minute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pollctl.errors import UsageError

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:+,@")
_SERVICE = """\
[Unit]
Description=Run the polling plugins that are due
{after}
[Service]
Type=oneshot
{user}ExecStart={command}
# 3: a part of the targets could not be fetched. pollctl tells of it itself.
SuccessExitStatus=3
# only pollctl is asked to end, which asks its passes
KillMode=mixed
UMask=0077
{hardening}"""
_AFTER = """\
Wants=network-online.target
After=network-online.target
"""
_TIMER = """\
[Unit]
Description=Run the polling plugins that are due, every minute

[Timer]
OnCalendar=*-*-* *:*:00
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
_FOR_ALL = """\
NoNewPrivileges=true
LockPersonality=true
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
_FOR_THE_MACHINES = """\
CapabilityBoundingSet=
PrivateDevices=true
PrivateTmp=true
ProtectClock=true
ProtectControlGroups=true
# not true: settings, secrets or Python itself may lie there
ProtectHome=read-only
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
ProtectSystem=strict
ReadWritePaths={folder}
"""


class Installation(NamedTuple):
    """What the units are for.

    Attributes:
        program: the words that start pollctl, with its settings file.
        folder: that of the database, the one place where passes write.
        user: who runs them; empty for units of a user's own.
    """

    program: Sequence[str]
    folder: Path
    user: str


def units(installation: Installation) -> dict[str, str]:
    """The text of each unit, by its kind.

    Raises:
        UsageError: a path cannot stand in a unit.
    """
    for word in (*installation.program, str(installation.folder)):
        if not word.isprintable():
            raise UsageError(f"no unit of systemd can hold such a path: {word}")
    return {"service": _service(installation), "timer": _TIMER}


def _service(installation: Installation) -> str:
    program, *words = installation.program
    command = " ".join([_word(program), *(_word(word).replace("$", "$$") for word in words), "due", "--run"])
    if not installation.user:
        return _SERVICE.format(after="", user="", command=command, hardening=_FOR_ALL)
    hardening = _FOR_ALL + _FOR_THE_MACHINES.format(folder=_word(str(installation.folder)))
    return _SERVICE.format(after=_AFTER, user=f"User={installation.user}\n", command=command, hardening=hardening)


def _word(text: str) -> str:
    """A word as units have it: ``%`` begins something there, and blanks and quotes are quoted."""
    text = text.replace("%", "%%")
    if set(text) <= _PLAIN | {"%", "$"}:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
