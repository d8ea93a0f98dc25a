"""Where settings are found, what holds when nothing is set, and whose word counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import Meta, Struct

from pollctl.config.places import find
from pollctl.config.schema import Core, PluginConfig
from pollctl.config.settings import Config, load, sample
from pollctl.errors import ConfigError
from pollctl.redaction import Secret
from pollctl.units import Duration, HttpUrl, Size


def write(folder: Path, text: str) -> Path:
    path = folder / "pollctl.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Every place where a settings file may lie, each with a file, but for the one under /etc."""
    found = {
        "option": tmp_path / "option.toml",
        "variable": tmp_path / "variable.toml",
        "here": tmp_path / "here/pollctl.toml",
        "xdg": tmp_path / "xdg/pollctl/config.toml",
        "home": tmp_path / "home/.config/pollctl/config.toml",
    }
    for path in found.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path / "here")
    return found


def environment(places: dict[str, Path]) -> dict[str, str]:
    xdg, home = places["xdg"].parents[1], places["home"].parents[2]
    return {"POLLCTL_CONFIG": str(places["variable"]), "XDG_CONFIG_HOME": str(xdg), "HOME": str(home)}


def test_the_option_goes_before_every_other_place(places: dict[str, Path]) -> None:
    assert find(str(places["option"]), environment(places)) == places["option"]


def test_the_variable_goes_before_the_usual_places(places: dict[str, Path]) -> None:
    assert find(None, environment(places)) == places["variable"]


def test_an_empty_variable_counts_as_none(places: dict[str, Path]) -> None:
    assert find(None, environment(places) | {"POLLCTL_CONFIG": ""}) == Path("pollctl.toml")


def test_the_file_here_goes_before_the_users_own(places: dict[str, Path]) -> None:
    variables = environment(places)
    del variables["POLLCTL_CONFIG"]
    assert find(None, variables) == Path("pollctl.toml")
    places["here"].unlink()
    assert find(None, variables) == places["xdg"]


@pytest.mark.parametrize("xdg", [{}, {"XDG_CONFIG_HOME": ""}, {"XDG_CONFIG_HOME": "relative"}], ids=str)
def test_without_a_usable_xdg_folder_it_is_the_one_in_the_home_folder(
    places: dict[str, Path], xdg: dict[str, str]
) -> None:
    places["here"].unlink()
    assert find(None, {"HOME": environment(places)["HOME"], **xdg}) == places["home"]


@pytest.mark.skipif(Path("/etc/pollctl/config.toml").exists(), reason="this machine has settings of its own")
def test_without_any_file_nothing_is_found(places: dict[str, Path]) -> None:
    places["here"].unlink()
    assert find(None, {}) is None


@pytest.mark.parametrize(
    ("named", "environ", "source"),
    [("gone.toml", {}, "--config"), (None, {"POLLCTL_CONFIG": "gone.toml"}, "$POLLCTL_CONFIG")],
    ids=["option", "variable"],
)
def test_a_named_file_that_is_missing_is_an_error_although_others_exist(
    places: dict[str, Path], named: str | None, environ: dict[str, str], source: str
) -> None:
    with pytest.raises(ConfigError) as error:
        find(named, environ)
    assert error.value.problems == (f"gone.toml: no such file; it was named by {source}",)
    assert error.value.exit_code == 2


def test_a_dangling_link_is_not_passed_over(places: dict[str, Path]) -> None:
    places["here"].unlink()
    places["here"].symlink_to("nowhere")
    path = find(None, {})
    assert path == Path("pollctl.toml")
    with pytest.raises(ConfigError, match=r"^pollctl.toml: cannot be read: No such file or directory$"):
        load(path, {})


def test_without_a_file_latency_alone_is_enabled_and_the_database_is_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    config = load(None, {})
    assert (config.path, config.names, config.enabled) == (None, ("latency",), ("latency",))
    assert config.core.database == tmp_path / "pollctl" / "pollctl.db"


def test_without_home_the_defaults_still_hold() -> None:
    program = "from pollctl.config.settings import load; print(load(None).core.database.is_absolute())"
    variables = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_DATA_HOME")}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user that is not in passwd")
def test_a_user_without_any_home_is_told_to_name_a_file() -> None:
    program = """
import os, platformdirs.unix
from pollctl.config.settings import load
os.setuid(54_321)
load(None)
"""
    done = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=False)
    assert "ConfigError: there is no home folder to keep a database in: name a settings file" in done.stderr


def test_loading_imports_neither_plugins_nor_what_only_messages_need(tmp_path: Path) -> None:
    path = write(tmp_path, "[plugins.latency]\ntimezone = 'Europe/Amsterdam'\n")
    program = f"""
import sys
from pathlib import Path
from pollctl.config.settings import load
load(Path({str(path)!r})).timing_and_limits("latency")
unwanted = {{"pollctl_latency", "croniter", "platformdirs", "difflib", "importlib.metadata"}}
print(sorted(unwanted & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_built_in_defaults_are_the_promised_ones(tmp_path: Path) -> None:
    core = load(write(tmp_path, "")).core
    assert core.database == tmp_path / "pollctl.db"
    assert core.timezone == ZoneInfo("UTC")
    assert (core.deadline, core.grace) == (timedelta(seconds=50), timedelta(seconds=5))
    assert (core.http.timeout, core.http.max_body) == (timedelta(seconds=10), 32 * 1024 * 1024)
    assert (core.http.ca_file, core.http.trust_env, core.http.user_agent) == (None, False, "pollctl")
    assert core.outbox == type(core.outbox)(
        max_attempts=60, backoff=Duration(minutes=1), backoff_max=core.outbox.backoff_max
    )
    assert core.outbox.backoff_max == timedelta(hours=1)
    assert (core.notify.urls, core.notify.alert_after, core.notify.renotify_every) == (
        (),
        3,
        timedelta(hours=6),
    )
    assert not core.healthcheck.url
    kept = core.retention
    assert (kept.runs, kept.recordings, kept.effects) == tuple(timedelta(days=days) for days in (90, 30, 30))


def test_a_plugin_that_says_nothing_has_the_built_in_timing(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[plugins.latency]")).timing_and_limits("latency")
    assert config.enabled
    assert (config.timezone.key, config.catch_up, config.record) == ("UTC", "once", "failures")
    assert (config.jitter, config.window) == (timedelta(), timedelta())
    assert (config.backoff, config.backoff_max) == (timedelta(minutes=1), timedelta(hours=1))
    assert (config.deadline, config.max_lateness) == (timedelta(seconds=50), timedelta(minutes=5))


VALUES: dict[str, tuple[str, str, str]] = {
    "schedule": ("1 * * * *", "2 * * * *", "3 * * * *"),
    "timezone": ("Europe/Paris", "Asia/Tokyo", "America/Lima"),
    "jitter": ("1s", "2s", "3s"),
    "catch_up": ("skip", "once", "skip"),
    "max_lateness": ("1s", "2s", "3s"),
    "idle_max": ("1s", "2s", "3s"),
    "backoff": ("1s", "2s", "3s"),
    "backoff_max": ("1s", "2s", "3s"),
    "deadline": ("1s", "2s", "3s"),
    "window": ("1s", "2s", "3s"),
    "record": ("all", "off", "all"),
}


def test_precedence_is_tested_for_every_core_key_of_a_plugin() -> None:
    assert {*VALUES, "enabled", "healthcheck"} == set(PluginConfig.__struct_fields__)


@pytest.mark.parametrize("key", VALUES)
def test_the_section_goes_before_the_core_and_the_core_before_the_plugins_default(tmp_path: Path, key: str) -> None:
    section, common, default = VALUES[key]

    def value(text: str) -> str:
        config = load(write(tmp_path, text)).timing_and_limits("latency", {key: default})
        return str(getattr(config, key))

    assert value(f"[pollctl]\n{key} = '{common}'\n[plugins.latency]\n{key} = '{section}'") == section
    assert value(f"[pollctl]\n{key} = '{common}'\n[plugins.latency]") == common
    assert value("[plugins.latency]") == default


def test_a_window_that_the_section_does_not_set_yields_to_the_deadline(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[plugins.latency]\ndeadline = '30s'"))
    assert config.timing_and_limits("latency", {"window": "55s"}).window == timedelta(seconds=30)


def test_a_window_may_be_as_long_as_the_deadline(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[plugins.latency]\ndeadline = '55s'\nwindow = '55s'"))
    assert config.timing_and_limits("latency").window == timedelta(seconds=55)


def test_a_plugin_is_enabled_by_its_section_unless_that_says_otherwise(tmp_path: Path) -> None:
    text = "[plugins.a]\n[plugins.b]\nenabled = false\n[plugins.c]\nenabled = true\n[plugins.d]\nenabled = 'no'"
    config = load(write(tmp_path, text))
    assert config.names == ("a", "b", "c", "d")
    assert config.enabled == ("a", "c", "d")
    assert [config.timing_and_limits(name).enabled for name in "abc"] == [True, False, True]


def test_a_plugin_without_a_section_can_still_be_run_by_hand(tmp_path: Path) -> None:
    config = load(write(tmp_path, ""))
    assert config.enabled == ()
    assert config.timing_and_limits("latency", {"deadline": "9s"}).deadline == timedelta(seconds=9)
    assert config.settings("latency", Own) == Own()


@pytest.mark.parametrize("written", ["toilet_gap", "toilet-gap"])
@pytest.mark.parametrize("asked", ["toilet_gap", "toilet-gap"])
def test_names_take_hyphens_and_underscores_alike(tmp_path: Path, written: str, asked: str) -> None:
    config = load(write(tmp_path, f"[plugins.{written}]\ndeadline = '7s'\ncount = 4"))
    assert config.names == ("toilet_gap",)
    assert config.timing_and_limits(asked).deadline == timedelta(seconds=7)
    assert config.settings(asked, Own).count == 4


def test_problems_in_a_section_stop_neither_loading_nor_other_plugins(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[plugins.a]\ndeadline = 'x'\n[plugins.b]\ncount = 2"))
    assert config.settings("b", Own).count == 2
    with pytest.raises(ConfigError):
        config.timing_and_limits("a")


def test_relative_paths_are_relative_to_the_file_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "[pollctl]\ndatabase = 'data/x.db'\n[pollctl.http]\nca_file = '/ca.pem'")
    monkeypatch.chdir(tmp_path)
    core = load(Path("sub/pollctl.toml")).core
    assert core.database == tmp_path / "sub/data/x.db"
    assert core.http.ca_file == Path("/ca.pem")


class Monitor(Struct, frozen=True, kw_only=True):
    name: str
    gap: Duration = Duration(hours=2)
    token: Secret = Secret("")


class Own(Struct, frozen=True, kw_only=True):
    count: int = 1
    share: float = 0.5
    mode: Literal["fast", "slow"] = "fast"
    limit: Size = Size(1024)
    folder: Path | None = None
    url: HttpUrl | None = None
    terms: list[str] = []
    monitors: tuple[Monitor, ...] = ()
    by_name: dict[str, Monitor] = {}
    timezone: ZoneInfo = ZoneInfo("UTC")
    window: Duration = Duration()
    backoff: float = 2.0
    jitter: Annotated[float, Meta(le=1)] = 0.1


def settings(tmp_path: Path, section: str, kind: Any = Own, rest: str = "") -> Any:
    return load(write(tmp_path, f"{rest}\n[plugins.own]\n{section}")).settings("own", kind)


def test_settings_become_the_plugins_own_struct(tmp_path: Path) -> None:
    own = settings(
        tmp_path,
        """
        count = 3
        share = 1
        mode = "slow"
        limit = "64KB"
        folder = "x"
        url = "https://api.example.net/v1"
        terms = ["92026"]
        by_name.a = { name = "A" }
        [[plugins.own.monitors]]
        name = "pilot"
        gap = "90m"
        token = "t"
        """,
    )
    assert own == Own(
        count=3,
        share=1.0,
        mode="slow",
        limit=Size(65536),
        folder=tmp_path / "x",
        url=HttpUrl("https://api.example.net/v1"),
        terms=["92026"],
        by_name={"a": Monitor(name="A")},
        monitors=(Monitor(name="pilot", gap=Duration(minutes=90), token=Secret("t")),),
    )
    assert isinstance(own.share, float)
    assert isinstance(own.monitors[0].gap, Duration)


def test_an_empty_optional_path_or_address_is_none(tmp_path: Path) -> None:
    own = settings(tmp_path, "folder = ''\nurl = ''")
    assert (own.folder, own.url) == (None, None)


def test_a_setting_with_the_name_of_a_core_key_receives_the_value_that_holds(tmp_path: Path) -> None:
    own = settings(tmp_path, "window = '20s'", rest="[pollctl]\ntimezone = 'Asia/Tokyo'")
    assert (own.window, own.timezone) == (timedelta(seconds=20), ZoneInfo("Asia/Tokyo"))


def test_a_core_key_that_the_plugin_counts_as_a_number_is_the_plugins_own(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[pollctl]\nbackoff = '9s'\n[plugins.own]\nbackoff = 3.5\njitter = 0.2"))
    own = config.settings("own", Own)
    assert (own.backoff, own.jitter) == (3.5, 0.2)
    assert config.timing_and_limits("own").backoff == timedelta(seconds=9)
    assert config.timing_and_limits("own").jitter == timedelta()


def test_a_renamed_field_is_read_by_its_name_in_the_file(tmp_path: Path) -> None:
    class Renamed(Struct, frozen=True, rename="kebab"):
        max_jobs: int = 1

    assert settings(tmp_path, "max-jobs = 5", Renamed).max_jobs == 5


class Rate(float):
    @classmethod
    def parse(cls, text: str) -> Rate:
        return cls(text.removesuffix("/s"))


class Limited(Struct, frozen=True):
    rate: Rate


def test_a_type_of_the_plugins_own_is_read_by_its_parse(tmp_path: Path) -> None:
    assert settings(tmp_path, "rate = '2/s'", Limited).rate == 2.0


def test_the_sample_equals_the_defaults(tmp_path: Path) -> None:
    defaults = load(write(tmp_path, "")).core
    uncommented = re.sub(r"^# (\w+ = )", r"\1", sample(), flags=re.MULTILINE)
    assert load(write(tmp_path, sample())).core == defaults
    assert load(write(tmp_path, uncommented)).core == defaults


def test_the_sample_holds_every_key() -> None:
    tables = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", sample(), flags=re.MULTILINE))
    assert keys_of(tables["pollctl"]) == keys_of_struct(Core)


def keys_of(table: dict[str, Any]) -> dict[str, Any]:
    return {key: keys_of(value) if isinstance(value, dict) and value else None for key, value in table.items()}


def keys_of_struct(kind: type[Struct]) -> dict[str, Any]:
    return {
        field.name: keys_of_struct(field.type) if issubclass(field.default.__class__, Struct) else None
        for field in msgspec.structs.fields(kind)
    }


def test_a_configuration_can_be_printed_without_giving_anything_away(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[pollctl.healthcheck]\nurl = 'hunter2'\n[plugins.own]\ntoken = 'hunter2'"))
    assert isinstance(config, Config)
    assert "hunter2" not in repr(config)


class Polled(Struct, frozen=True):
    host_id: str = ""


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("[plugins.x]\n", ""),
        ('[pollctl]\nhost_id = "pod-1"\n[plugins.x]\n', "pod-1"),
        ('[pollctl]\nhost_id = "pod-1"\n[plugins.x]\nhost_id = "own"\n', "own"),
    ],
    ids=["nobody set one", "that of pollctl", "its own"],
)
def test_a_plugin_that_declares_host_id_receives_that_of_pollctl(tmp_path: Path, text: str, received: str) -> None:
    assert load(write(tmp_path, text)).settings("x", Polled, {}).host_id == received
