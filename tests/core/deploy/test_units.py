"""``pollctl systemd`` and ``pollctl crontab``: what has passes started on a machine (scale.md, rule 9)."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from manual_pages import OPERATING, files_of
from other_users import as_root
from place import Place

from pollctl.deploy.systemd import Installation, units
from pollctl.errors import UsageError

ANALYSE = shutil.which("systemd-analyze")
WORST_EXPOSURE = 4.5
needs_systemd = pytest.mark.skipif(not ANALYSE, reason="needs systemd-analyze")
ODD = 'a "b" 100% $HOME'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.settings()
    return place


def analysed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert ANALYSE
    env = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [ANALYSE, "--no-pager", *words], capture_output=True, text=True, check=False, timeout=60, env=env
    )


def written(place: Place, *options: str) -> list[str]:
    """The paths of both units, as they are installed."""
    paths = [place.folder / "pollctl.service", place.folder / "pollctl.timer"]
    for path in paths:
        path.write_text(place.do("systemd", *options, path.suffix[1:]))
    return list(map(str, paths))


@needs_systemd
@pytest.mark.parametrize("options", [[], ["--user"]], ids=["of the machine", "of a user"])
@pytest.mark.parametrize("folder", ["plain", ODD])
def test_systemd_takes_the_units(tmp_path: Path, options: list[str], folder: str) -> None:
    place = Place(tmp_path / folder)
    place.settings()
    done = analysed(tmp_path, *options, "verify", "--man=no", *written(place, *options))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("user", ["pollctl", "root"])
def test_what_a_pass_could_do_is_bounded(tmp_path: Path, user: str) -> None:
    unit = tmp_path / "pollctl.service"
    unit.write_text(units(Installation(["/usr/bin/true"], tmp_path, user))["service"])
    done = analysed(tmp_path, "security", "--offline=true", str(unit))
    found = re.search(r"Overall exposure level .*: ([\d.]+)", done.stdout)
    assert found, done
    assert float(found[1]) <= WORST_EXPOSURE


def test_they_have_the_paths_of_this_installation(place: Place) -> None:
    service = place.do("systemd", "service")
    assert f"--config {place.folder}/pollctl.toml due --run\n" in service
    assert f"ReadWritePaths={place.folder}\n" in service
    assert f"User={pwd.getpwuid(os.geteuid()).pw_name}\n" in service
    assert "User=" not in place.do("systemd", "--user", "service")
    both = place.do("systemd")
    assert both.index("# /etc/systemd/system/pollctl.service\n[Unit]") < both.index("pollctl.timer\n[Unit]")
    assert "OnCalendar=*-*-* *:*:00" in place.do("systemd", "timer")


@as_root
def test_passes_run_as_the_owner_of_the_database(place: Place) -> None:
    place.do("db", "migrate")
    shutil.chown(place.database, "nobody")
    assert "User=nobody\n" in place.do("--config", str(place.folder / "pollctl.toml"), "systemd", "service")


def test_what_begins_something_in_units_is_quoted() -> None:
    service = units(Installation(["/opt/pollctl", "--config", f"/srv/{ODD}/x.toml"], Path("/srv", ODD), ""))["service"]
    assert r'ExecStart=/opt/pollctl --config "/srv/a \"b\" 100%% $$HOME/x.toml" due --run' in service
    with pytest.raises(UsageError, match="no unit of systemd can hold"):
        units(Installation(["/opt/pollctl", "--config", "/srv/a\nb"], Path("/srv"), ""))


def test_the_manual_shows_what_is_printed() -> None:
    program = ["/opt/pollctl/bin/pollctl", "--config", "/var/lib/pollctl/pollctl.toml"]
    printed = units(Installation(program, Path("/var/lib/pollctl"), "pollctl"))
    shown = files_of(OPERATING)
    assert {name: shown[f"pollctl.{name}"] for name in printed} == printed


@pytest.mark.parametrize(
    "words", [["systemd"], ["systemd", "--user", "timer"], ["crontab"], ["crontab", "--system", "root"]]
)
def test_without_settings_they_are_refused(tmp_path: Path, words: list[str]) -> None:
    done = Place(tmp_path).call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no settings file was found" in done.stderr
    assert "`pollctl init` writes one" in done.stderr


def test_the_line_for_the_systems_cron_says_who_runs_it(place: Place) -> None:
    *_, plain = place.do("crontab").splitlines()
    *_, line = place.do("crontab", "--system", "root").splitlines()
    assert line == plain.replace("* * * * * ", "* * * * * root ", 1)


@pytest.mark.parametrize("name", ["nobody at all", "", "-x", "root\n* * * * * root evil"])
def test_a_user_who_is_not_here_is_refused(place: Place, name: str) -> None:
    done = place.call("crontab", "--system", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no user" in done.stderr
