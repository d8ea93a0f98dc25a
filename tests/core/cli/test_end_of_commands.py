"""How a process of pollctl ends: soon where only our own code was at work, as Python has it where others' code was (speed 1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_package import make_plugin_package, spawn_pollctl, write_settings

SITE = """
import atexit, pathlib, os
class Kept:
    def __del__(self, left=pathlib.Path(os.environ["HOME"], "left")):
        left.touch()
KEPT = Kept()
atexit.register(pathlib.Path(os.environ["HOME"], "exit").touch)
"""


@pytest.mark.parametrize(
    ("words", "is_taken_down"), [(("due",), False), (("run", "counter"), True)], ids=["our own", "with a plugin"]
)
def test_exit_functions_are_called_and_objects_go_where_a_plugin_was(
    tmp_path: Path, words: tuple[str, ...], is_taken_down: bool
) -> None:
    env = make_plugin_package(tmp_path, "counter")
    (tmp_path / "site-counter" / "sitecustomize.py").write_text(SITE)
    write_settings(tmp_path, "[plugins.counter]")
    done = spawn_pollctl(tmp_path, env, *words)
    assert done.returncode == 0
    assert done.stdout
    assert (tmp_path / "exit").exists()
    assert (tmp_path / "left").exists() == is_taken_down
