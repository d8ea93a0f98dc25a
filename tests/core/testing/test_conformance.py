"""authors.md 19: the conformance suite, on plugins that keep the contract and on some that break it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from broken_plugins import CATALOGUE
from core.testing.gauge import SECTION, URL, source
from manual_pages import PLUGINS, files_of
from plugin_package import make_plugin_package
from sample_plugin import plugin

from pollctl.testing import Bench
from pollctl.testing.suite import CHECKS, findings, package
from pollctl.testing.suite.subject import Subject

pytestmark = pytest.mark.slow

BROKEN = {name: broken for name, broken in CATALOGUE.items() if broken.door == "suite"}
BY_NAME = {check.__name__: check for check in CHECKS}


def installed(name: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_plugin_package(folder, name, text)
    monkeypatch.syspath_prepend(str(folder / f"site-{name}"))


def rising(bench: Bench) -> None:
    bench.settings(SECTION).answer(URL, {"cm": 300})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
def test_a_plugin_that_keeps_the_contract_passes(
    check: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("gauge", source(), tmp_path, monkeypatch)
    assert callable(check)
    assert check(Subject("gauge", rising)) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_with_place_and_remedy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = BROKEN[name]
    installed(name, broken.named(name), tmp_path, monkeypatch)
    found = "\n".join(BY_NAME[broken.check](Subject(name, None)))
    assert [words for words in broken.says if words.replace("GUEST", name) not in found] == [], found


ACCOUNT = 'msgspec.defstruct("Account", [("key", Secret, Secret("")), ("since", datetime.date | None, None)])'
SECRETS = {
    "keeper_of_a_list": ("tokens.[]", "tokens: tuple[Secret, ...] = ()", "run.settings.tokens[0]", ""),
    "keeper_of_a_table": ("headers.*", "headers: dict[str, Secret] = {}", "[*run.settings.headers.values()][0]", ""),
    "keeper_of_accounts": (
        "accounts.[].key",
        f"accounts: tuple[{ACCOUNT}, ...] = ()",
        "run.settings.accounts[0].key",
        "accounts = [{ since = 2026-03-02 }]",
    ),
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_looked_for_in_lists_and_tables_too(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, field, value, settings = SECRETS[name]
    text = plugin(
        name,
        "Keeps a secret.",
        {"Settings": f"import datetime\n{field}", "Batch": "number: int", "Seen": "number: int"},
        tables=["things (word TEXT)"],
        fetch="(run):\n    yield Batch(1)",
        decide="(batch):\n    return [Seen(1, 'seen')]",
        apply=f"(db, run):\n    db.execute('INSERT INTO {name}_things VALUES (?)', [{value}.reveal()])",
    )
    installed(name, text, tmp_path, monkeypatch)
    found = BY_NAME["secrets"](Subject(name, lambda bench: bench.settings(settings)))
    assert f"{place}, a secret, stands in the database when an upstream " in found[0]


def test_addresses_of_people_are_kept_where_the_core_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = plugin(
        "teller",
        "Tells people.",
        {"Settings": "people: tuple[Secret, ...] = ()", "Batch": "number: int", "Seen": "number: int"},
        fetch="(run):\n    yield Batch(1)",
        decide="(batch):\n    return [Seen(1, 'seen')]",
        apply="(run):\n    run.tell(f'told:{run.now}', 'Seen', 'It was seen.', to=run.settings.people)",
    )
    installed("teller", text, tmp_path, monkeypatch)
    told: list[Bench] = []

    def arrange(bench: Bench) -> None:
        told.append(bench.settings('people = ["json://inbox/crew"]'))

    assert BY_NAME["secrets"](Subject("teller", arrange)) == []
    assert BY_NAME["secrets"](Subject("teller", None)) == []
    assert {message.to for message in told[0].messages} == {"crew"}


def test_a_package_is_asked_for_its_sample_and_its_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: text for name, text in files_of(PLUGINS).items() if name.startswith("pollctl_gauge/")}
    for name, text in files.items():
        path = tmp_path / "site-river" / name.replace("pollctl_gauge", "river")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("pollctl_gauge", "river"))
    info = tmp_path / "site-river" / "river-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: river\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pollctl]\nriver = river\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site-river"))
    subject = Subject("river", None)
    lacks = [*package.sample(subject), *package.readme(subject)]
    assert ["sample.toml: there is none" in lacks[0], "README.md: there is none" in lacks[1]] == [True, True]
    folder = tmp_path / "site-river" / "river"
    (folder / "sample.toml").write_text('[plugins.river]\nmark_cm = 240.0\ntell = ""\n')
    (folder / "README.md").write_text("# river\n## Question\n## Example\n")
    path = folder / "sample.toml"
    assert package.sample(subject) == [
        f"{path}: it does not show url; write it with its default",
        f"{path}: mark_cm is 240.0, its default 250.0; write the default",
    ]
    assert "its headings are ['Question', 'Example']; write Question, Settings, " in package.readme(subject)[0]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
def test_wrong_settings_are_called_what_they_are(check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed("gauge", source(), tmp_path, monkeypatch)
    found = findings(check, Subject("gauge", lambda bench: bench.settings("urll = 3")))
    assert [("plugins.gauge.urll: unknown key" in one, "mend the settings" in one) for one in found] in (
        [],
        [(True, True)],
    )
    assert found or check.__name__ not in ("passes", "plan", "crashes", "deadline")


def test_one_line_is_the_whole_suite(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "fails_wherever", BROKEN["fails_wherever_it_is_tried"].named("fails_wherever"))
    line = 'from pollctl.testing import conformance\n\ntest_conformance = conformance("fails-wherever")\n'
    (tmp_path / "test_it.py").write_text(line)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "contract or passes", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "a pass on the bench ends failed (" in done.stdout
