"""Each case in a process of its own, forked from an interpreter that has loaded everything, and what is wrong with how it ended."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pkgutil
import re
import resource
import select
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from campaign import SEED, folder_in_memory
from fuzz_cases import FULL, PIPE, ZERO, Case, drawn
from msgspec import Struct
from plugin_package import clean_environment
from worlds.every import every

import pollctl
from pollctl.__main__ import main

LONGEST_S = 10.0
"""Longer than that no command takes; one that did is tried once more, as the machine may have been busy."""
MOST_MEMORY = 4 << 30
EXIT_CODES = (0, 1, 2, 3, 75)
LOOPBACK_ONLY = Path(__file__).with_name("loopback_only")
_GONE = "(gone)"
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Failure(Struct, frozen=True):
    """A case that ended as none may; printed, it reproduces."""

    number: int
    why: str
    case: Case
    said: str


class Tally(Struct, frozen=True):
    """What became of some cases."""

    codes: dict[int, int]
    slowest_s: float
    failures: list[Failure]


def try_out(numbers: Sequence[int]) -> Tally:
    """Run cases one after another; to be called in a process without threads."""
    _load_everything()
    codes: dict[int, int] = {}
    failures, slowest_s = [], 0.0
    with folder_in_memory() as root:
        template = _template(Path(root))
        for number in numbers:
            case = drawn(SEED, number)
            code, taken_s, said = _run(case, Path(root, "cases", str(number)), template)
            if taken_s > LONGEST_S:
                code, taken_s, said = _run(case, Path(root, "cases", f"{number}-again"), template)
            codes[code] = codes.get(code, 0) + 1
            slowest_s = max(slowest_s, taken_s)
            if why := _fault(code, taken_s, said):
                failures.append(Failure(number, why, case, said[-3000:]))
    return Tally(codes, slowest_s, failures)


def _fault(code: int, taken_s: float, said: str) -> str:
    if taken_s > LONGEST_S:
        return f"took longer than {LONGEST_S:.0f} s"
    if code not in EXIT_CODES:
        return f"ended with {code}"
    if said == _GONE:
        return "the file that it prints to is gone"
    if "Traceback" in said or 'File "' in said:
        return "a traceback"
    if unseen := _UNSEEN.search(said):
        return f"printed {unseen[0]!r}"
    return "" if code != 2 or said.strip() else "refused without a word"


def _load_everything() -> None:
    sys.path.insert(0, str(LOOPBACK_ONLY))
    importlib.import_module("sitecustomize")
    for package in (pollctl, *(importlib.import_module(f"pollctl_{plugin}") for plugin in every())):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in ("apprise", "croniter", "zeep"):
        importlib.import_module(name)
    drawn(SEED, 0)
    gc.freeze()


def _template(root: Path) -> Path:
    """A database with all tables, made by pollctl itself."""
    folder = root / "template"
    code, _, said = _run(Case(("db", "migrate"), b"", {}, False, 0o600), folder, None)
    assert code == 0, said
    return folder / "pollctl.db"


def _run(case: Case, folder: Path, template: Path | None) -> tuple[int, float, str]:
    """Exit code, or minus the signal; seconds; and all that was printed."""
    _prepare(case, folder, template)
    said = folder / "said"
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        _live(case, folder, said)
    code = _ended(pid)
    taken_s = time.monotonic() - began
    text = said.read_text(errors="backslashreplace") if said.exists() else _GONE
    if template:
        shutil.rmtree(folder)
    return code, taken_s, text


def _prepare(case: Case, folder: Path, template: Path | None) -> None:
    folder.mkdir(parents=True)
    os.mkfifo(folder / PIPE)
    (folder / FULL).symlink_to("/dev/full")
    (folder / ZERO).symlink_to("/dev/zero")
    (folder / "loop").symlink_to("loop")
    (folder / "secret").write_text("hunter2hunter2")
    (folder / "secret").chmod(0o600)
    if case.settings is not None:
        path = folder / "pollctl.toml"
        path.write_bytes(case.settings)
        path.chmod(case.mode)
    if case.has_database and template:
        shutil.copy2(template, folder / "pollctl.db")


def _ended(pid: int) -> int:
    """Wait for a process; one that takes too long is killed, with all that it started."""
    descriptor = os.pidfd_open(pid)
    try:
        if not select.select([descriptor], [], [], LONGEST_S + 0.5)[0]:
            os.killpg(pid, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _live(case: Case, folder: Path, said: Path) -> NoReturn:
    """The life of a child: what the shell and ``python -m pollctl`` do."""
    code = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number, descriptor in enumerate((nowhere, output, output)):
            os.dup2(descriptor, number)
        sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", encoding="utf-8") for number in (1, 2))
        os.environ.clear()
        os.environ.update({**clean_environment(folder), "PYTHONPATH": str(LOOPBACK_ONLY), **case.environ})
        sys.argv = ["pollctl", *case.words]
        try:
            atexit._clear()  # what the original registered is not for its copies
            code = main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)
