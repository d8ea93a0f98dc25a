"""pollctl as another user than the one who runs the tests, who must be root for that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from plugin_package import command

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away and become somebody else")


def run_as_nobody(folder: Path, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pollctl as user and group 65534, who may read where the interpreter lies, in *folder*."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is missing")
    rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    words = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *rights, *command(*arguments)]
    streams = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run(words, cwd=folder, env=dict(env), timeout=60, check=False, **streams)  # type: ignore[call-overload,no-any-return]


@contextmanager
def become(user: int, group: int) -> Iterator[None]:
    """Let this process be another user until the block ends, as the system sees it."""
    before = os.getgroups()
    os.setgroups([])
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)
