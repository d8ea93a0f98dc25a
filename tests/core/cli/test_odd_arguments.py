"""Arguments that are not UTF-8, empty paths, files without end: one line, exit 2, and nobody waits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from plugin_package import clean_environment, command, spawn_pollctl, write_settings

pytestmark = pytest.mark.slow

ENDLESS = ("pipe", "full", "zero")
AT_ONCE_S = 20  # which is long, but shorter than for ever


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "full").symlink_to("/dev/full")
    (tmp_path / "zero").symlink_to("/dev/zero")
    write_settings(tmp_path, "[plugins.latency]")
    return tmp_path


def refused(folder: Path, *words: str) -> str:
    """The one line with which a command ends, beside click's usage."""
    done = spawn_pollctl(folder, clean_environment(folder), *words, timeout=AT_ONCE_S)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    *_, line = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("name", ENDLESS)
def test_settings_without_end(folder: Path, name: str) -> None:
    assert refused(folder, "--config", name, "due") == f"pollctl: {name}: not a regular file"


@pytest.mark.parametrize("name", [*ENDLESS, "."])
@pytest.mark.parametrize(
    "words", [("due", "--run"), ("check",), ("status",), ("db", "migrate"), ("run", "latency")], ids=" ".join
)
def test_a_database_without_end(folder: Path, name: str, words: tuple[str, ...]) -> None:
    (folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "{name}"\n[plugins.latency]\n')
    done = spawn_pollctl(folder, clean_environment(folder), *words, timeout=AT_ONCE_S)
    assert done.returncode == 2, done
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if "pollctl.database" in line]
    assert "which is not a regular file" in line


def test_a_database_with_a_name_that_no_file_can_have(folder: Path) -> None:
    (folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "{"x" * 300}"\n')
    assert "File name too long" in refused(folder, "due")


@pytest.mark.parametrize("name", [*ENDLESS, "."])
def test_a_secret_without_end(folder: Path, name: str) -> None:
    (folder / "pollctl.toml").write_text(f'[pollctl.healthcheck]\nurl = {{ file = "{name}" }}\n')
    assert refused(folder, "due").endswith("not a regular file")


@pytest.mark.parametrize("name", [*ENDLESS, ".", ""])
@pytest.mark.parametrize("words", [("db", "backup"), ("metrics", "--textfile"), ("report", "--out")], ids=" ".join)
def test_a_target_that_is_no_file_is_left_as_it_is(folder: Path, name: str, words: tuple[str, ...]) -> None:
    assert spawn_pollctl(folder, clean_environment(folder), "db", "migrate").returncode == 0
    before = sorted(path.name for path in folder.iterdir())
    told = refused(folder, *words, name)
    assert "which is not replaced; name a file" in told or "the name of the file is empty" in told
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder / "pipe").is_fifo()
    assert (folder / "full").readlink() == Path("/dev/full")


def test_a_link_to_itself_as_a_target_is_refused_as_every_link(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    env = clean_environment(folder)
    assert spawn_pollctl(folder, env, "db", "migrate").returncode == 0
    assert "is a link, which is not replaced" in refused(folder, "db", "backup", "loop")
    assert (folder / "loop").readlink() == Path("loop")


def test_a_pipe_in_the_place_of_a_lock_holds_nobody_up(folder: Path) -> None:
    env = clean_environment(folder)
    assert spawn_pollctl(folder, env, "db", "migrate").returncode == 0
    os.mkfifo(folder / "pollctl.db.latency.lock")
    for words in (("status",), ("why", "latency"), ("metrics",), ("report",), ("check",)):
        done = spawn_pollctl(folder, env, *words, timeout=AT_ONCE_S)
        assert done.returncode == 0, done
    done = spawn_pollctl(folder, env, "run", "latency", timeout=AT_ONCE_S)
    assert done.returncode == 1
    assert "pollctl.db.latency.lock" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--config", "", "due"), "pollctl: --config names no file"),
        (("init", ""), "Error: the name of the folder is empty"),
        (("run", ""), "pollctl: '' is not a valid name of a plugin"),
        (("why", ""), "pollctl: '' is not a valid name of a plugin"),
    ],
)  # fmt: skip
def test_empty_names(folder: Path, words: tuple[str, ...], says: str) -> None:
    assert refused(folder, *words).startswith(says)


@pytest.mark.parametrize(
    "words",
    [
        (b"--config", b"\xff.toml", b"due"), (b"history", b"\xff"), (b"outbox", b"list", b"--plugin", b"\xc3"), (b"show", b"\xed\xa0\x80"),
        (b"db", b"backup", b"\xff"), (b"run", b"caf\xe9"), (b"\xff",), (b"latency", b"add", b"\xff"), (b"init", b"\xff"),
    ],
)  # fmt: skip
def test_arguments_that_are_not_utf8(folder: Path, words: tuple[bytes, ...]) -> None:
    before = sorted(os.listdir(os.fsencode(folder)))  # noqa: PTH208 - in bytes
    done = subprocess.run(
        [*map(os.fsencode, command()), *words], cwd=folder, env=clean_environment(folder), capture_output=True, timeout=AT_ONCE_S, check=False
    )  # fmt: skip
    assert done.returncode == 2, done
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("pollctl: the argument ")
    assert line.endswith(" is not UTF-8 and cannot be sent or kept")
    assert sorted(os.listdir(os.fsencode(folder))) == before  # noqa: PTH208 - as above


@pytest.mark.parametrize("words", [("due",), ("due", "--run"), ("check",), ("db", "migrate")], ids=" ".join)
def test_a_folder_whose_name_is_not_utf8(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    write_settings(folder, "[plugins.latency]")
    done = spawn_pollctl(folder, clean_environment(tmp_path), *words)
    assert done.returncode == 2, done
    assert (done.stdout + done.stderr).count("the path is not UTF-8") == 1
    (folder / "pollctl.toml").unlink()
    done = spawn_pollctl(folder, {**clean_environment(tmp_path), "HOME": str(folder)}, *words)
    assert done.returncode == 2, done
    assert "the path is not UTF-8" in done.stdout + done.stderr


@pytest.mark.parametrize("number", ["9223372036854775808", "-1", "0", "9" * 5000])
@pytest.mark.parametrize(
    "words",
    [("outbox", "drop"), ("outbox", "retry"), ("outbox", "list", "--limit"), ("history", "--limit")],
    ids=" ".join,
)
def test_numbers_that_no_row_has(folder: Path, words: tuple[str, ...], number: str) -> None:
    assert refused(folder, *words, "--", number) if words[-1] != "--limit" else refused(folder, *words, number)


def test_a_descriptor_that_no_process_has(folder: Path) -> None:
    assert refused(folder, "run", "latency", "--report-to", "99999999999999999999")


def test_help_that_is_the_value_of_an_option_is_not_the_question_for_help(folder: Path) -> None:
    words = ("shell-query", "submit", "--sql", "SELECT 1", "--target", "DE", "--name", "-h", "--json")
    done = spawn_pollctl(folder, clean_environment(folder), *words)
    assert done.returncode == 0, done
    done = spawn_pollctl(folder, clean_environment(folder), "latency", "add", "--help")
    assert done.stdout.startswith("Usage: pollctl latency add")


ODD = "\x1b[31mred\x07"


def test_what_is_printed_steers_no_terminal(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    write_settings(folder, "[plugins.latency]")
    env = clean_environment(tmp_path)
    commands = (("db", "migrate"), ("db", "backup", f"{ODD}.db"), ("db", "check"), ("why",), ("check",), ("init", ODD), ("due", ODD), (ODD,), ("run", ODD),
                ("show", ODD), ("history", ODD), (f"--{ODD}",), ("--config", ODD, "due"), ("status",), ("due", "--at", ODD), ("run", "latency", "--deadline", ODD))  # fmt: skip
    for words in commands:
        done = spawn_pollctl(folder, env, *words)
        assert "\x1b" not in done.stdout + done.stderr, words
        assert "\x07" not in done.stdout + done.stderr, words
    assert "\\x1b[31mred" in spawn_pollctl(folder, env, "db", "check").stdout


def test_what_programs_read_is_written_as_it_is(folder: Path) -> None:
    env = clean_environment(folder)
    assert spawn_pollctl(folder, env, "latency", "add", "http://127.0.0.1:9/", "--label", "a\u00a0b").returncode in (
        0,
        2,
    )
    assert "\n# TYPE pollctl_plugin_due gauge\n" in spawn_pollctl(folder, env, "metrics").stdout
    assert (
        "\t" in spawn_pollctl(folder, env, "completion", "zsh").stdout
        or "\n    " in spawn_pollctl(folder, env, "completion", "zsh").stdout
    )
