"""What distributions announce is found as ``importlib.metadata`` finds it, without importing that (speed 2)."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from plugin_package import make_plugin_package, write_settings

from pollctl.plugin_host import installed
from pollctl.plugin_host.installed import EntryPoint, entry_points

GROUPS = ("pollctl", "pollctl.demos", "pollctl.wrappers", "pollctl.none")
POINTS = "[console_scripts]\nodd = odd:main\n\n[pollctl]\n# a comment\nodd = odd.plugin\n  spaced-out  =  odd.plugin : Thing.of [extra, more]\n"


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    installed._announced.cache_clear()
    installed._by_files.cache_clear()


def distribution(folder: Path, name: str, points: str = POINTS, *, meta: str = "METADATA", said: str = "") -> Path:
    info = folder / name
    info.mkdir(parents=True)
    (info / meta).write_text(f"Metadata-Version: 2.1\n{said or 'Name: Odd.One'}\nVersion: 1.2.3\n\nName: not this\n")
    (info / "entry_points.txt").write_text(points)
    return info


def ours() -> list[tuple[str, ...]]:
    return [tuple(one) for group in GROUPS for one in entry_points(group)]


def theirs() -> list[tuple[str, ...]]:
    found = [one for group in GROUPS for one in metadata.entry_points(group=group)]
    return [(one.name, one.value, one.group, one.dist.name, one.dist.version) for one in found if one.dist]


def test_what_is_installed_here_is_the_same() -> None:
    assert ours() == theirs()
    assert ("latency", "pollctl_latency", "pollctl", "pollctl", metadata.version("pollctl")) in ours()


@pytest.mark.parametrize(
    "names",
    [
        ["odd_one-1.2.3.dist-info"],
        ["Odd.One-1.2.3.dist-info", "odd_one-1.2.4.dist-info"],
        ["odd-one.egg-info"],
        ["ODD__ONE-1.2.3-py3.11.egg-info", "b-1.dist-info", "a-1.dist-info", "odd-one-1.2.3.dist-info"],
    ],
    ids=len,
)
def test_folders_of_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    for name in names:
        meta = "METADATA" if name.endswith("dist-info") else "PKG-INFO"
        distribution(tmp_path, name, POINTS.replace("odd", name[0].lower()), meta=meta)
    monkeypatch.syspath_prepend(tmp_path)
    assert ours() == theirs()
    assert len(entry_points("pollctl")) > len(names) or len(names) > 1


def test_the_first_of_a_name_on_the_path_counts_even_if_it_announces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path / "second", "odd_one-2.dist-info")
    distribution(tmp_path / "first", "Odd.One-1.dist-info", "[console_scripts]\nodd = odd:main\n")
    for folder in ("second", "first"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert ours() == theirs()
    assert not [one for one in ours() if one[1].startswith("odd")]


def test_an_egg_a_file_in_place_of_a_folder_and_a_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path / "odd-1-py3.egg", "EGG-INFO", meta="PKG-INFO")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old-1.egg-info").write_text("Name: old\nVersion: 1\n")
    for folder in ("odd-1-py3.egg", "site", "gone"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert ours() == theirs()
    assert EntryPoint("odd", "odd.plugin", "pollctl", "Odd.One", "1.2.3") in entry_points("pollctl")


def test_a_zip_file_on_the_path_is_left_to_importlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = distribution(tmp_path / "site", "odd_one-1.2.3.dist-info")
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        for file in info.iterdir():
            archive.write(file, f"{info.name}/{file.name}")
    monkeypatch.syspath_prepend(tmp_path / "odd.zip")
    assert ours() == theirs()
    assert ("odd", "odd.plugin", "pollctl", "Odd.One", "1.2.3") in ours()


def test_a_finder_of_others_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = distribution(tmp_path, "odd_one-1.2.3.dist-info")

    class Finder:
        def find_spec(self, *_: object) -> None:
            return None

        def find_distributions(self, _: object) -> list[metadata.Distribution]:
            return [metadata.PathDistribution(info)]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert ours() == theirs()
    assert "odd" in [one[0] for one in ours()]


def test_what_a_finder_of_others_cannot_read_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            raise ValueError(filename)

        def locate_file(self, path: object) -> Path:
            raise NotImplementedError

    class Finder:
        def find_spec(self, *_: object) -> None:
            return None

        def find_distributions(self, _: object) -> list[metadata.Distribution]:
            return [Broken()]

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert "latency" in [one[0] for one in ours()]


def test_broken_files_of_a_stranger_break_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [one for one in sys.meta_path if getattr(one, "__name__", "") == "PathFinder"]
    monkeypatch.setattr(sys, "meta_path", plain)  # other libraries bring finders of their own
    info = distribution(tmp_path, "odd_one-1.2.3.dist-info", "no group\n[pollctl]\nno value\nodd = odd\n")
    (info / "METADATA").write_bytes(b"\xff\xfe\nName\n\xffVersion: 1\n")
    (tmp_path / "empty-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert ("odd", "odd", "pollctl", "unknown", "") in ours()


def test_what_is_announced_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "announced_here.py").write_text("class Thing:\n    of = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    module, attribute = (
        EntryPoint("odd", value, "pollctl").load() for value in ("announced_here", "announced_here : Thing.of [extra]")
    )
    monkeypatch.delitem(sys.modules, "announced_here")
    assert (module.__name__, attribute) == ("announced_here", 42)
    with pytest.raises(ValueError, match="names no module"):
        EntryPoint("odd", "one two", "pollctl").load()


def test_a_later_pass_imports_no_importlib_metadata_and_reads_each_folder_once(tmp_path: Path) -> None:
    code = (
        "import os, sys; seen = []; listdir = os.listdir; os.listdir = lambda *a: seen.append(a) or listdir(*a)\n"
        "from pollctl.cli import start; start()\nassert 'importlib.metadata' not in sys.modules\n"
        "assert len(seen) == len(set(seen)), seen"
    )
    env = make_plugin_package(tmp_path, "counter")
    write_settings(tmp_path, "[plugins.counter]")
    for source in ("from pollctl.cli import start; start()", code):  # the first pass judges what it has not seen yet
        command = [sys.executable, "-P", "-c", source, "run", "counter"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
