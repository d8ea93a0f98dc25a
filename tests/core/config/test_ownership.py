"""Who may have written a file, and what is not obeyed because of it."""

from __future__ import annotations

import os
import stat
from itertools import product
from pathlib import Path

import pytest
from other_users import NOBODY, as_root, run_as_nobody
from plugin_package import clean_environment, make_plugin_package, spawn_pollctl, write_settings

from pollctl.due import fast_path
from pollctl.ownership import fault_of_file, fault_of_folder

pytestmark = pytest.mark.slow

MINE = os.geteuid()
MY_GROUP = os.getegid()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = write_settings(tmp_path, "[plugins.latency]")
    path.chmod(0o644)
    return path


def fault(path: Path) -> str:
    return fault_of_file(path, path.stat())


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (0o600, ""),
        (0o644, ""),
        (0o444, ""),
        (0o664, ""),
        (0o666, "mode 0666"),
        (0o602, "mode 0602"),
        (0o646, "`chmod go-w`"),
    ],
)
def test_others_must_not_be_able_to_write_it(settings: Path, mode: int, words: str) -> None:
    settings.chmod(mode)
    assert words in fault(settings)
    assert bool(fault(settings)) is bool(words)


@as_root
def test_a_group_may_write_it_only_if_it_is_no_stranger(settings: Path) -> None:
    os.chown(settings, MINE, 4242)
    settings.chmod(0o664)
    assert "gid 4242" in fault(settings)
    settings.chmod(0o644)
    assert not fault(settings)
    settings.chmod(0o664)
    os.chown(settings.parent, MINE, 4242)
    settings.parent.chmod(0o2755)
    assert "gid 4242" in fault(settings), "a folder hands its group on to strangers as well"
    before = os.getgroups()
    os.setgroups([*before, 4242])
    try:
        assert not fault(settings), (
            "Kubernetes gives a volume to a group of the container, fsGroup, and puts the user into it"
        )
        settings.parent.chmod(0o755)
        assert fault(settings)
    finally:
        os.setgroups(before)


@as_root
def test_it_must_belong_to_the_user_or_to_root(settings: Path) -> None:
    os.chown(settings, NOBODY, NOBODY)
    assert "uid 65534" in fault(settings)
    assert "mode 0644" in fault(settings)
    assert "and you are root: `sudo -u nobody pollctl ...`, or" in fault(settings)


@as_root
def test_a_link_counts_like_what_it_leads_to(settings: Path) -> None:
    link = settings.with_name("link.toml")
    link.symlink_to(settings.name)
    assert not fault(link)
    os.lchown(link, NOBODY, NOBODY)
    assert "the link belongs to" in fault(link)
    os.lchown(link, MINE, MY_GROUP)
    os.chown(settings, NOBODY, NOBODY)
    assert fault(link)


@as_root
def test_on_a_read_only_mount_the_owner_of_the_folder_counts(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnly:
        f_flag = os.ST_RDONLY

    os.chown(settings, NOBODY, NOBODY)
    os.chown(settings.parent, NOBODY, NOBODY)
    assert fault(settings)
    monkeypatch.setattr(os, "statvfs", lambda path: ReadOnly)
    assert not fault(settings)
    os.chown(settings.parent, MINE, MY_GROUP)
    assert fault(settings)
    os.chown(settings.parent, NOBODY, NOBODY)
    settings.chmod(0o646)
    assert fault(settings)


@pytest.mark.parametrize(
    ("mode", "is_safe"), [(0o755, True), (0o1777, True), (0o777, False), (0o700, True), (0o757, False)]
)
def test_a_folder_that_others_may_write_to_needs_the_sticky_bit(tmp_path: Path, mode: int, is_safe: bool) -> None:
    tmp_path.chmod(mode)
    assert bool(fault_of_folder(tmp_path)) is not is_safe


@as_root
def test_the_fast_path_takes_nothing_that_the_full_way_refuses(settings: Path) -> None:
    taken = 0
    for uid, gid, mode in product((0, NOBODY), (0, 4242, NOBODY), (0o600, 0o604, 0o620, 0o602, 0o664, 0o666, 0o444)):
        os.chown(settings, uid, gid)
        settings.chmod(mode)
        is_own = fast_path._is_own(str(settings))
        assert not is_own or not fault(settings), (uid, gid, oct(mode))
        taken += is_own
    assert taken > 10, "and the plain cases are taken"


COMMANDS = (
    ("check",), ("due",), ("due", "--run"), ("run", "latency"), ("plan", "latency"), ("status",), ("why",), ("history",), ("plugins",), ("metrics",), ("report",),
    ("outbox", "list"), ("db", "migrate"), ("db", "check"), ("latency", "jobs"),
)  # fmt: skip
LOOKING = (
    ("due",), ("due", "--next", "2"), ("why",), ("status",), ("history",), ("plugins",), ("check",), ("outbox", "list"), ("metrics",), ("report",), ("db", "check"),
    ("replay",), ("db", "backup", "copy.db"), ("latency", "jobs"),
)  # fmt: skip
ACTING = (
    ("due", "--run"),
    ("run", "latency"),
    ("plan", "latency"),
    ("db", "migrate"),
    ("db", "prune"),
    ("outbox", "retry", "1"),
    ("latency", "add", "127.0.0.1"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_settings_that_others_may_write_stop_every_command(settings: Path, words: tuple[str, ...]) -> None:
    settings.chmod(0o666)
    done = spawn_pollctl(settings.parent, clean_environment(settings.parent), *words)
    assert done.returncode == 2, done
    (line,) = done.stderr.splitlines()
    assert line.startswith("pollctl: pollctl.toml: not obeyed: others may write to it: ")
    assert "mode 0666" in line
    assert {path.name for path in settings.parent.iterdir()} - {".local"} == {"pollctl.toml"}  # the state folder


@as_root
@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_root_may_look_at_settings_of_others_that_it_names(settings: Path, words: tuple[str, ...]) -> None:
    folder, env = settings.parent, clean_environment(settings.parent)
    assert spawn_pollctl(folder, env, "db", "migrate").returncode == 0
    os.chown(settings, NOBODY, NOBODY)
    assert spawn_pollctl(folder, env, *words).returncode == 2, "./pollctl.toml was not named"
    done = spawn_pollctl(folder, env, "--config", "pollctl.toml", *words)
    assert done.returncode == 0, done
    if words == ("check",):
        assert "only commands that change nothing take it from root" in done.stdout


@as_root
@pytest.mark.parametrize("words", ACTING, ids=" ".join)
def test_root_does_nothing_by_settings_of_others(settings: Path, words: tuple[str, ...]) -> None:
    os.chown(settings, NOBODY, NOBODY)
    done = spawn_pollctl(settings.parent, clean_environment(settings.parent), "--config", "pollctl.toml", *words)
    assert done.returncode == 2, done
    assert "nobody" in done.stderr or "65534" in done.stderr
    assert not (settings.parent / "pollctl.db").exists()


@as_root
def test_who_is_not_root_looks_at_no_settings_of_others(settings: Path) -> None:
    os.chown(settings.parent, NOBODY, NOBODY)
    env = clean_environment(settings.parent)
    assert run_as_nobody(settings.parent, env, "due").returncode == 0, "root's settings hold for everybody"
    os.chown(settings, 4242, 4242)
    for words in (("due",), ("--config", "pollctl.toml", "due"), ("--config", "pollctl.toml", "check")):
        done = run_as_nobody(settings.parent, env, *words)
        assert done.returncode == 2, done
        assert "uid 4242" in done.stderr


@as_root
def test_what_one_user_has_evaluated_is_not_the_answer_for_another(tmp_path: Path) -> None:
    """Root must not take the fast path on settings that it would refuse, and be silent about it."""
    env = make_plugin_package(tmp_path, "counter")
    path = write_settings(tmp_path, '[plugins.counter]\nschedule = "0 0 1 1 *"')
    for one in (tmp_path, path):
        os.chown(one, NOBODY, NOBODY)
    assert run_as_nobody(tmp_path, env, "db", "migrate").returncode == 0
    for _ in range(2):
        done = run_as_nobody(tmp_path, env, "due", "--run")
        assert (done.returncode, done.stderr) == (0, "")
    arguments = ("--config", str(path), "due", "--run")
    assert not fast_path.is_nothing_due(arguments, env)
    done = spawn_pollctl(tmp_path, env, *arguments)
    assert done.returncode == 2
    assert "and you are root: `sudo -u nobody pollctl ...`, or" in done.stderr


def test_a_change_of_mode_alone_takes_the_full_way(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "counter")
    path = write_settings(tmp_path, '[plugins.counter]\nschedule = "0 0 1 1 *"')
    for _ in range(2):
        assert spawn_pollctl(tmp_path, env, "due", "--run").returncode == 0
    arguments = ("--config", str(path), "due", "--run")
    assert fast_path.is_nothing_due(arguments, env)
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWOTH)
    assert not fast_path.is_nothing_due(arguments, env)
    assert spawn_pollctl(tmp_path, env, *arguments).returncode == 2


@pytest.mark.parametrize("mode", [0o622, 0o602])
def test_a_secret_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    write_settings(tmp_path, '[pollctl.healthcheck]\nurl = { file = "url" }')
    (tmp_path / "url").write_text("https://hc.example.net/canary")
    (tmp_path / "url").chmod(mode)
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "due")
    assert done.returncode == 2, done
    (line,) = done.stderr.splitlines()
    assert 'pollctl.healthcheck.url: secret file "' in line
    assert f"mode {mode:04o}" in line
    assert "canary" not in line


@as_root
def test_a_secret_file_of_a_stranger_is_refused(tmp_path: Path) -> None:
    write_settings(tmp_path, '[pollctl.healthcheck]\nurl = { file = "url" }')
    (tmp_path / "url").write_text("https://hc.example.net/canary")
    (tmp_path / "url").chmod(0o600)
    os.chown(tmp_path / "url", NOBODY, NOBODY)
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "due")
    assert done.returncode == 2
    assert "and you are root: `sudo -u nobody pollctl ...`, or" in done.stderr
    assert spawn_pollctl(tmp_path, clean_environment(tmp_path), "--config", "pollctl.toml", "due").returncode == 0


@pytest.mark.parametrize(("mode", "is_wrong"), [(0o777, True), (0o1777, False), (0o755, False)])
def test_check_fails_where_strangers_could_replace_database_and_locks(
    tmp_path: Path, mode: int, is_wrong: bool
) -> None:
    settings = write_settings(tmp_path)
    settings.write_text('[pollctl]\ndatabase = "open/pollctl.db"\n[plugins.latency]\n')
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    env = clean_environment(tmp_path)
    assert spawn_pollctl(tmp_path, env, "db", "migrate").returncode == 0, (
        "passes go on: the folder may be a container's own"
    )
    done = spawn_pollctl(tmp_path, env, "check")
    assert done.returncode == int(is_wrong), done
    assert ("FAIL   database" in done.stdout and "sticky bit" in done.stdout) is is_wrong


def test_check_fails_for_a_database_that_others_may_write_to(tmp_path: Path) -> None:
    write_settings(tmp_path)
    env = clean_environment(tmp_path)
    assert spawn_pollctl(tmp_path, env, "db", "migrate").returncode == 0
    assert spawn_pollctl(tmp_path, env, "check").returncode == 0
    (tmp_path / "pollctl.db").chmod(0o606)
    done = spawn_pollctl(tmp_path, env, "check")
    assert done.returncode == 1
    assert "mode 0606" in done.stdout
