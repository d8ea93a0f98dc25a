"""Wrong settings files, all kinds of them: exit code 2, one clear line, no traceback, no secret, nothing started.

What each single key is told stands in tests/core/config/; here whole files meet whole commands.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from plugin_package import clean_environment, run_pollctl, spawn_pollctl
from wrong_settings import CANARY, EVERY, SECRETS, Wrong

pytestmark = pytest.mark.slow
Pollctl = Callable[..., tuple[int, str]]
IS_FULL = os.environ.get("POLLCTL_CAMPAIGN") == "full"
ALL_COMMANDS = (("check",), ("run", "latency"), ("due",), ("due", "--run"))


def written(folder: Path, wrong: Wrong) -> Path:
    path = folder / "pollctl.toml"
    content = wrong.content if isinstance(wrong.content, bytes) else (wrong.content + extra(wrong)).encode()
    path.write_bytes(content)
    return path


def extra(wrong: Wrong) -> str:
    """Secrets beside the fault, where they may stand."""
    return "" if "pollctl.notify" in str(wrong.content) or "pollctl.healthcheck" in str(wrong.content) else SECRETS


@pytest.fixture
def pollctl(tmp_path: Path) -> Pollctl:
    """Run one command line in this process, with more variables; answers exit code and all that was said."""

    def run(*words: str, **more: str) -> tuple[int, str]:
        done = run_pollctl(tmp_path, clean_environment(tmp_path) | more, *words)
        return done.returncode, done.stdout + done.stderr

    return run


def assert_told(said: str, wrong: Wrong) -> None:
    assert any("pollctl.toml" in line and all(words in line for words in wrong.says) for line in said.splitlines()), (
        said
    )
    assert CANARY not in said
    assert "Traceback" not in said
    assert "\x1b" not in said


@pytest.mark.parametrize("wrong", EVERY.values(), ids=EVERY)
def test_a_wrong_file_is_told_by_every_command_and_nothing_is_started(
    tmp_path: Path, pollctl: Pollctl, wrong: Wrong
) -> None:
    written(tmp_path, wrong)
    commands = [("check",)] if wrong.is_for_check else [("check",), ("run", wrong.plugin or "latency")]
    for words in commands:
        code, said = pollctl(*words, **wrong.environ)
        assert code == 2, (words, said)
        assert_told(said, wrong)
    code, said = pollctl("due", **wrong.environ)
    is_for_others = wrong.plugin or wrong.is_for_check
    assert code == (0 if is_for_others else 2), said
    assert CANARY not in said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["pollctl.toml"]


def odd_places(folder: Path) -> dict[str, tuple[tuple[str, ...], dict[str, str], str]]:
    """Ways to name a settings file that cannot be had: words, environment, what must be said."""
    (folder / "folder").mkdir()
    (folder / "empty.toml").touch()
    (folder / "dangling.toml").symlink_to("nowhere.toml")
    (folder / "loop.toml").symlink_to("loop.toml")
    os.mkfifo(folder / "pipe.toml")
    return {
        "missing by option": (("--config", "gone.toml"), {}, "gone.toml: no such file; it was named by --config"),
        "missing by variable": ((), {"POLLCTL_CONFIG": "gone.toml"}, "gone.toml: no such file; it was named by $POLLCTL_CONFIG"),
        "a folder": (("--config", "folder"), {}, "folder: cannot be read: Is a directory"),
        "a link to nowhere": (("--config", "dangling.toml"), {}, "dangling.toml: cannot be read: No such file or directory"),
        "a link to itself": (("--config", "loop.toml"), {}, "loop.toml: cannot be read: Too many levels"),
        "a name with a line break": (("--config", "a\nb.toml"), {}, "a\\nb.toml: no such file"),
        "a name that is too long": (("--config", "x" * 300), {}, "no such file; it was named by --config"),
        "within a file": (("--config", "empty.toml/x"), {}, "empty.toml/x: no such file"),
    }  # fmt: skip


ODD_PLACES = (
    "missing by option", "missing by variable", "a folder", "a link to nowhere", "a link to itself",
    "a name with a line break", "a name that is too long", "within a file",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD_PLACES)
def test_a_file_that_cannot_be_had_is_named(tmp_path: Path, name: str) -> None:
    words, more, says = odd_places(tmp_path)[name]
    for command in ALL_COMMANDS if IS_FULL else (("due", "--run"),):
        done = run_pollctl(tmp_path, clean_environment(tmp_path) | more, *words, *command)
        assert done.returncode == 2, done
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_a_pipe_is_no_settings_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pollctl.toml")
    for command in ALL_COMMANDS:
        done = run_pollctl(tmp_path, clean_environment(tmp_path), *command)
        assert done.returncode == 2
        assert "pollctl.toml: not a regular file" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_this_user_may_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pollctl.toml").write_text("[pollctl]\n")
    (tmp_path / "pollctl.toml").chmod(0)
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "check")
    assert done.returncode == 2
    assert "pollctl.toml: cannot be read: Permission denied" in done.stderr


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"# nothing\n", b"\xef\xbb\xbf", b"[pollctl]\n", b"[plugins]\n"], ids=repr
)
def test_a_file_that_says_nothing_is_no_fault(tmp_path: Path, pollctl: Pollctl, content: bytes) -> None:
    (tmp_path / "pollctl.toml").write_bytes(content)
    for command in (("check",), ("due",), ("due", "--run")):
        assert pollctl(*command)[0] == 0


def test_secrets_that_others_may_read_are_a_warning_of_check(tmp_path: Path) -> None:
    (tmp_path / "pollctl.toml").write_text('[pollctl.healthcheck]\nurl = { file = "url" }\n')
    (tmp_path / "url").write_text(f"https://hc.example.net/{CANARY}")
    for mode, is_open in ((0o644, True), (0o640, True), (0o600, False)):
        (tmp_path / "url").chmod(mode)
        done = run_pollctl(tmp_path, clean_environment(tmp_path), "check")
        assert done.returncode == 0, done
        warned = [line for line in done.stdout.splitlines() if line.startswith("warn") and "chmod 600" in line]
        assert bool(warned) == is_open, (oct(mode), done.stdout)
        assert CANARY not in done.stdout


SECTION_ALONE = (
    "syntax: key twice",
    "core: unknown key",
    "latency: no concurrency",
    "stockx_ops: key missing in the environment",
)


@pytest.mark.parametrize("name", SECTION_ALONE)
def test_as_a_process_it_is_the_same(tmp_path: Path, name: str) -> None:
    wrong = EVERY[name]
    written(tmp_path, wrong)
    for words, code in (
        (("check",), 2),
        (("run", wrong.plugin or "latency"), 2),
        (("due", "--run"), 1 if wrong.plugin else 2),
    ):
        done = spawn_pollctl(tmp_path, clean_environment(tmp_path), *words)
        assert done.returncode == code, done
        assert_told(done.stdout + done.stderr, wrong)


def test_there_are_enough_of_them() -> None:
    print(f"figure: wrong settings files: {len(EVERY) + len(ODD_PLACES)}, each told by check, run and due")
    assert len(EVERY) >= 60
