"""What Prometheus scrapes, on stdout, in a file and over HTTP."""

import signal
import stat
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from plugin_package import Env, command, make_plugin_package, run_pollctl, write_settings
from prometheus_client.parser import text_string_to_metric_families
from sample_plugin import PLAIN

OWN = """
@hookimpl
def pollctl_metrics(db, now):
    from prometheus_client.core import GaugeMetricFamily
    return [GaugeMetricFamily("plain_year", "The year.", value=now.year)]
"""
WHEN = {"POLLCTL_NOW": "2026-03-08T12:00:30Z"}


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """A plugin with metrics of its own and one pass behind it."""
    env = make_plugin_package(tmp_path, "plain", PLAIN + OWN) | WHEN
    write_settings(tmp_path, "[plugins.plain]")
    assert run_pollctl(tmp_path, env, "run", "plain").returncode == 0
    return env


def samples(text: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text)
    return {key(sample): sample.value for family in families for sample in family.samples}


def key(sample: Any) -> tuple[str, ...]:
    """Its name and the values of its labels, that of the plugin first."""
    return (sample.name, *(sample.labels[name] for name in sorted(sample.labels, key=lambda name: name != "plugin")))


def test_the_core_tells_of_every_plugin_and_each_plugin_of_itself(tmp_path: Path, env: Env) -> None:
    found = samples(run_pollctl(tmp_path, env, "metrics").stdout)
    assert found["pollctl_last_run_timestamp_seconds", "plain"] == 1772971230
    assert found["pollctl_last_run_outcome", "plain", "ok"] == 1
    assert found["pollctl_last_run_outcome", "plain", "failed"] == 0
    assert found["pollctl_run_duration_seconds", "plain"] >= 0
    assert found["pollctl_consecutive_failures", "plain"] == 0
    assert found["pollctl_plugin_due", "plain"] == 0
    assert found["pollctl_plugin_next_due_timestamp_seconds", "plain"] == 1772971260
    assert found["pollctl_outbox", "plain", "dead"] == 0
    assert found["plain_year",] == 2026
    assert [name for name in found if name[0] == "pollctl_build_info"]


def test_before_the_first_pass_there_are_metrics_too(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, "[plugins.plain]")
    found = samples(run_pollctl(tmp_path, env, "metrics").stdout)
    assert found["pollctl_plugin_due", "plain"] == 1
    assert not (tmp_path / "pollctl.db").exists()


@pytest.mark.parametrize(
    "fault",
    ["    raise ValueError('boom')\n", "    db.execute('DELETE FROM runs')\n", "    raise SystemExit(3)\n"],
    ids=["raises", "writes", "exits"],
)
def test_a_plugin_whose_metrics_fail_is_left_out_and_told_about(tmp_path: Path, env: Env, fault: str) -> None:
    (tmp_path / "site-plain" / "plain.py").write_text(PLAIN + OWN.replace("    from", f"{fault}    from"))
    done = run_pollctl(tmp_path, env, "metrics")
    assert done.returncode == 0
    assert ("plain_year",) not in samples(done.stdout)
    assert samples(done.stdout)["pollctl_last_run_outcome", "plain", "ok"] == 1
    assert "plugin 'plain' (plain-package 1.2.3): metrics raised" in done.stderr


@pytest.mark.parametrize("answer", ["[1, 2]", "[GaugeMetricFamily('x', 'y', value='z')]", "7"])
def test_a_plugin_whose_metrics_are_none_is_left_out_too(tmp_path: Path, env: Env, answer: str) -> None:
    odd = OWN.replace('[GaugeMetricFamily("plain_year", "The year.", value=now.year)]', answer)
    (tmp_path / "site-plain" / "plain.py").write_text(PLAIN + odd)
    done = run_pollctl(tmp_path, env, "metrics")
    assert done.returncode == 0
    assert samples(done.stdout)["pollctl_last_run_outcome", "plain", "ok"] == 1
    assert "plugin 'plain' (plain-package 1.2.3): metrics raised" in done.stderr


def test_the_textfile_is_replaced_as_a_whole_and_readable_for_all(tmp_path: Path, env: Env) -> None:
    target = tmp_path / "collector" / "pollctl.prom"
    target.parent.mkdir()
    target.write_text("# HELP pollctl_old Of an earlier version.\n")
    reader = target.open()
    done = run_pollctl(tmp_path, env, "metrics", "--textfile", str(target))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert reader.read().startswith("# HELP pollctl_old ")
    reader.close()
    assert ("plain_year",) in samples(target.read_text())
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["pollctl.prom"]


def test_a_textfile_that_cannot_be_written_is_a_message(tmp_path: Path, env: Env) -> None:
    done = run_pollctl(tmp_path, env, "metrics", "--textfile", "none/pollctl.prom")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none/pollctl.prom: No such file or directory" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_metrics_are_reckoned_anew_until_a_signal_ends_it(tmp_path: Path, env: Env, number: int) -> None:
    words = command("metrics", "--serve", "0")
    process = subprocess.Popen(words, cwd=tmp_path, env=env, text=True, stderr=subprocess.PIPE)
    try:
        assert process.stderr
        address = process.stderr.readline().rpartition(" ")[2].strip()
        assert address.startswith("http://127.0.0.1:")
        assert ("pollctl_last_run_outcome", "plain", "ok") in scraped(address)
        write_settings(tmp_path, "[plugins.plain]", "wrod = 1")
        run_pollctl(tmp_path, env, "run", "latency", "--deadline", "100ms")
        assert any(key[1:2] == ("latency",) for key in scraped(address))
    finally:
        process.send_signal(number)
        _, stderr = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Traceback" not in stderr


def scraped(address: str) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return samples(answer.read().decode())
