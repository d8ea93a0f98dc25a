"""`pollctl report`: the values as JSON, the page, and where it is written."""

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from full_database import NOW, lay_out
from plugin_package import Env, clean_environment, json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import PLAIN

OWN = """
@hookimpl
def pollctl_report(db, now, since):
    from datetime import timedelta
    from pollctl import (Beat, Column, Figure, Heartbeat, KeyFigures, Lane, Mark, Section, Span, State, Table, Text, Threshold,
                         TimeSeries, Timeline)
    text = HOSTILE
    rows = [{"id": 1, "state": State(text, "fail"), "text": text, "at": now, "took": timedelta(seconds=90), "lost": 0.058,
             "word": "failed", "code": text, "n": 20.843}]
    columns = [Column("id", kind="id"), Column("state", kind="state"), Column("text", text), Column("at", kind="moment", drop=2),
               Column("took", kind="span"), Column("lost", kind="share"), Column("word", kind="state"),
               Column("code", kind="code"), Column("n", kind="number", drop=5)]
    points = [(since + timedelta(minutes=n), None if n % 7 == 0 else 20.0 + n % 5) for n in range(1440)]
    span, mark = Span(since, now, "ok", text), Mark(now, "fail", text)
    return [Section(text, [
        KeyFigures([Figure(text, text, unit=text, note=text, level="fail"), Figure("median", timedelta(seconds=90))]),
        Table(columns, rows, text), Table(columns, [], "None", empty=text),
        Heartbeat([Beat(now, "fail", text)], since, now, text),
        TimeSeries(text, text, points, since, now, [Threshold(22, text)]),
        Timeline([Lane(text, [span], [mark])], since, now, text),
        Text(text), Text(text, "code"), Text("+" + text + "\\n-old", "diff"),
    ], summary=text)]
"""
HOSTILE = "<script>alert(1)</script>\"'><img src=//evil.example/x onerror=alert(1)>&{{ 7*7 }}\x1b[31m\u202eabc\x00"
WHEN = {"POLLCTL_NOW": "2026-03-08T12:00:30Z"}


def package(tmp_path: Path, report: str = OWN) -> Env:
    env = make_plugin_package(tmp_path, "plain", PLAIN + report.replace("HOSTILE", repr(HOSTILE))) | WHEN
    write_settings(tmp_path, "[plugins.plain]")
    assert run_pollctl(tmp_path, env, "run", "plain").returncode == 0
    return env


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """A plugin that shows what an enemy wrote, with one pass behind it."""
    return package(tmp_path)


class Page(HTMLParser):
    """The tags and attributes of a page, and what stands in its elements of style and script."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, *names: str) -> Iterator[str]:
        yield from (value or "" for _, found in self.tags for name, value in found.items() if name in names)


def drawn(tmp_path: Path, env: Env, *words: str) -> str:
    done = run_pollctl(tmp_path, env, "report", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_values_are_one_json_document(tmp_path: Path, env: Env) -> None:
    found = json_of(run_pollctl(tmp_path, env, "report", "--json"))
    assert (found["headline"], found["level"], found["written_at"]) == ("All well", "ok", "2026-03-08T12:00:30.000Z")
    (one,) = found["plugins"]
    assert (one["plugin"], one["state"], one["passes"]) == ("plain", {"word": "ok", "level": "ok"}, 1)
    assert [block["type"] for block in one["sections"][0]["blocks"][:5]] == [
        "KeyFigures", "Table", "Table", "Heartbeat", "TimeSeries",
    ]  # fmt: skip
    assert [(beat["level"], beat["count"]) for beat in one["heartbeat"]["beats"]] == [("ok", 1)]


def test_hostile_text_is_text(tmp_path: Path, env: Env) -> None:
    text = drawn(tmp_path, env)
    page = Page(text)
    assert "img" not in {tag for tag, _ in page.tags}
    assert [found for tag, found in page.tags if tag == "script"][-1] == {}
    assert {found.get("type") for tag, found in page.tags if tag == "script"} == {None, "application/json"}
    assert not any(name.startswith("on") for _, found in page.tags for name in found)
    assert "alert(1)" in "".join(page.texts)
    assert "{{ 7*7 }}" in "".join(page.texts)


def test_control_characters_and_turned_writing_are_shown_escaped(tmp_path: Path, env: Env) -> None:
    text = drawn(tmp_path, env)
    assert not set(text) & {"\x1b", "\u202e", "\x00"}
    assert "\\x1b[31m\\u202eabc\\x00" in text


def test_the_page_has_no_style_of_an_element_and_no_address_outside(tmp_path: Path, env: Env) -> None:
    page = Page(drawn(tmp_path, env))
    assert not any("style" in found for _, found in page.tags)
    assert all(value.startswith(("#", "data:image/svg+xml,")) for value in page.values("href", "src"))
    assert not {"iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
    style = re.search("<style>(.*?)</style>", drawn(tmp_path, env), re.DOTALL)
    assert style
    assert not re.search(r"url\(|@import|https?:", style[1])


def test_the_policy_knows_the_style_and_the_script_by_their_hashes(tmp_path: Path, env: Env) -> None:
    from base64 import b64encode
    from hashlib import sha256

    text = drawn(tmp_path, env)
    (policy,) = [found["content"] for _, found in Page(text).tags if found.get("http-equiv")]
    assert policy
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        found = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(found) == 1
        assert f"{tag}-src 'sha256-{b64encode(sha256(found[0].encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy


def test_the_script_is_small(tmp_path: Path, env: Env) -> None:
    (script,) = re.findall("<script>(.*?)</script>", drawn(tmp_path, env), re.DOTALL)
    assert len(script) <= 2048


def test_a_page_with_a_series_of_a_day_is_small(tmp_path: Path) -> None:
    env = package(tmp_path, OWN.replace("HOSTILE", "'rtt'"))
    assert len(drawn(tmp_path, env).encode()) < 65_000  # of 250 KB: six such and four other plugins are fewer


@pytest.mark.parametrize(("since", "number"), [("24h", 96), ("7d", 84), ("90d", 90)])
def test_there_is_a_strip_for_each_plugin(tmp_path: Path, env: Env, since: str, number: int) -> None:
    text = drawn(tmp_path, env, "--since", since)
    strip = text.partition('class="strip"')[2].partition("</svg>")[0]
    assert strip.count("<rect") == number


def test_trouble_comes_first_and_title_and_icon_say_it(tmp_path: Path, env: Env) -> None:
    assert "<title>All well · " in drawn(tmp_path, env)
    (tmp_path / "site-plain" / "plain.py").write_text(
        PLAIN.replace("yield", "raise ValueError('no <b>water</b>')\n    yield")
    )
    assert run_pollctl(tmp_path, env, "run", "plain").returncode != 0
    text = drawn(tmp_path, env)
    assert "<title>1 thing needs attention · " in text
    assert "%3Crect" in text.partition('<link rel="icon"')[2][:200]
    assert text.index("Needs attention") < text.index("Plugins <span")
    assert "no &lt;b&gt;water&lt;/b&gt;" in text
    assert "<code>pollctl why plain</code>" in text


def test_what_a_plugin_says_needs_somebody_stands_on_top_with_its_command(tmp_path: Path) -> None:
    notice = "Notice('the well is dry', 'fail', now, 'pollctl plain fill')"
    body = f"from pollctl import Notice, Section\n    return [Section('x', [], notices=[{notice}])]"
    env = package(tmp_path, f"\n@hookimpl\ndef pollctl_report(db, now, since):\n    {body}\n")
    text = drawn(tmp_path, env)
    assert "<title>1 thing needs attention · " in text
    assert text.index("the well is dry") < text.index("pollctl plain fill") < text.index("Plugins <span")
    (found,) = json_of(run_pollctl(tmp_path, env, "report", "--json"))["attention"]
    assert (found["urgency"], found["since"]) == ("failed", "2026-03-08T12:00:30.000Z")


@pytest.mark.parametrize(
    "body",
    ["raise ValueError('boom')", "raise SystemExit(3)", "db.execute('DELETE FROM runs')", "return ['<b>']", "return 7"],
)
def test_a_plugin_whose_part_cannot_be_had_is_named_in_its_place(tmp_path: Path, body: str) -> None:
    env = package(tmp_path, f"\n@hookimpl\ndef pollctl_report(db, now, since):\n    {body}\n")
    text = drawn(tmp_path, env)
    assert "plugin &#39;plain&#39; (plain-package 1.2.3): report" in text
    assert "Its part is missing" in text


def test_a_hook_of_the_contract_before_that_knows_no_since_is_called_too(tmp_path: Path) -> None:
    report = (
        "\n@hookimpl\ndef pollctl_report(db, now):\n    from pollctl import Section\n    return [Section('mine', [])]\n"
    )
    assert "mine" in drawn(tmp_path, package(tmp_path, report))


def test_before_the_first_pass_there_is_a_page_too(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain") | WHEN
    write_settings(tmp_path, "[plugins.plain]")
    assert "no pass yet" in drawn(tmp_path, env)
    assert not (tmp_path / "pollctl.db").exists()


def test_a_plugin_that_is_named_is_alone_on_its_page(tmp_path: Path, env: Env) -> None:
    done = run_pollctl(tmp_path, env, "report", "plian")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'plain'" in done.stderr
    assert json_of(run_pollctl(tmp_path, env, "report", "plain", "--json"))["plugins"][0]["plugin"] == "plain"


def test_it_replaces_its_own_page_only_and_says_nothing(tmp_path: Path, env: Env) -> None:
    target = tmp_path / "report.html"
    for _ in range(2):
        assert drawn(tmp_path, env, "--out", str(target)) == ""
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.glob("*report*")] == ["report.html"]
    assert drawn(tmp_path, env, "--out", str(target), "--mode", "0640") == ""
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["notes.html", "pollctl.toml", "pollctl.db"])
def test_it_takes_nobodys_place(tmp_path: Path, env: Env, name: str) -> None:
    target = tmp_path / name
    if name == "notes.html":
        target.write_text("<!doctype html>\n<html>mine</html>")
    before = target.read_bytes()
    done = run_pollctl(tmp_path, env, "report", "--out", str(target))
    assert (done.returncode, done.stdout) == (2, "")
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--mode", "9"),
        ("--mode", "10000"),
        ("--mode", "rw"),
        ("--since", "1h"),
        ("--json", "--out", "x"),
        ("--stale-after", "x"),
    ],
)
def test_odd_options_are_refused(tmp_path: Path, env: Env, words: tuple[str, ...]) -> None:
    assert run_pollctl(tmp_path, env, "report", *words).returncode == 2


def test_a_page_that_cannot_be_written_is_a_message(tmp_path: Path, env: Env) -> None:
    done = run_pollctl(tmp_path, env, "report", "--out", "none/report.html")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none/report.html: No such file or directory" in done.stderr


def test_equal_passes_that_did_not_end_well_are_one_row(tmp_path: Path) -> None:
    env = (
        make_plugin_package(tmp_path, "plain", PLAIN.replace("yield", "raise ValueError('no water')\n    yield")) | WHEN
    )
    write_settings(tmp_path, "[plugins.plain]")
    for _ in range(3):
        run_pollctl(tmp_path, env, "run", "plain")
    passes: dict[str, Any] = json_of(run_pollctl(tmp_path, env, "report", "--json"))["passes"]
    assert [(row["passes"], row["outcome"]) for row in passes["rows"]] == [(3, {"word": "failed", "level": "fail"})]
    assert "no water" in passes["rows"][0]["said"]


def test_secrets_are_masked_on_the_page_and_as_json(tmp_path: Path) -> None:
    body = "from pollctl import Secret, Section, Text\n    Secret('swordfish-77')\n    return [Section('x', [Text('it is swordfish-77')])]"
    env = package(tmp_path, f"\n@hookimpl\ndef pollctl_report(db, now, since):\n    {body}\n")
    for words in ((), ("--json",)):
        text = drawn(tmp_path, env, *words)
        assert "it is ***" in text
        assert "swordfish" not in text


def test_the_report_of_all_plugins_needs_no_heavy_library(tmp_path: Path) -> None:
    """They would cost a third of what a day's page may."""
    lay_out(tmp_path, is_full=True)
    code = "import sys; from pollctl.cli import start; start(['report', '--out', 'page.html']); print(*sys.modules, file=sys.stderr)"
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"POLLCTL_NOW": NOW},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert "jinja2" in imported
    assert imported.isdisjoint({"sqlite_utils", "requests", "urllib3", "zeep", "apprise", "rich", "asyncio"})
