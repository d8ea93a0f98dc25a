"""A copy of the product that may be spoilt, and an interpreter that runs it in place of the real one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]
FAULTS = TESTS / "crash" / "faults"
PLUGINS = ("latency", "shell_query", "soc_sections", "stockx_ops", "toilet_gap")


class ProductCopy:
    """pollctl and its plugins, copied into *folder* as they lie in the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._copy("pollctl", folder / "pollctl")
        for plugin in PLUGINS:
            self._copy(f"pollctl_{plugin}", folder / "plugins" / f"pollctl_{plugin}")
        self.python = self._interpreter()

    def spoil(self, fault: str) -> subprocess.CompletedProcess[str]:
        """Plant a fault of ``crash/faults``; the patch must fit exactly."""
        patch = (FAULTS / f"{fault}.patch").read_text()
        words = ["patch", "--strip=1", "--fuzz=0", "--no-backup-if-mismatch", "--forward", "--reject-file=-"]
        return subprocess.run(words, cwd=self.folder, input=patch, capture_output=True, text=True, check=False)

    def pytest(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run tests of the repository against the copy; words that begin with ``tests/`` are found there."""
        found = [str(TESTS.parent / word) if word.startswith("tests/") else word for word in words]
        options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--timeout-method=signal"]
        return self.run("-m", "pytest", "--rootdir", str(TESTS.parent), *options, *found, cwd=cwd)

    def run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the interpreter that sees the copy; its children see it too, whatever their environment.

        Tests that draw draw the same each time: a fault must be caught in every run, not in most.
        """
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "PYTHON", "POLLCTL", "COV"))
        } | {"POLLCTL_KILLS": "40", "POLLCTL_SEED": "20261122"}
        command = [str(self.python), *words]
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=900, check=False)

    def _copy(self, package: str, target: Path) -> None:
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            return
        source = found.submodule_search_locations[0]
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))

    def _interpreter(self) -> Path:
        """An environment whose packages are the copy, and then those of this interpreter."""
        home = self.folder / "environment"
        packages = Path(
            sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}, scheme="posix_prefix")
        )
        packages.mkdir(parents=True)
        python = home / "bin" / "python"
        python.parent.mkdir()
        real = Path(sys.executable).resolve()
        python.symlink_to(real)
        (home / "pyvenv.cfg").write_text(f"home = {real.parent}\n")
        paths: Sequence[Path | str] = [self.folder, self.folder / "plugins", sysconfig.get_path("purelib")]
        (packages / "copy.pth").write_text("".join(f"{path}\n" for path in paths))
        return python
