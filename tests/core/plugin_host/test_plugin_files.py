"""Plugins of one file in ``[pollctl] plugins_dir`` (authors.md, rule 22)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from place import Place
from plugin_package import Done, json_of
from sample_plugin import PLAIN, parrot_source

TARGETS = """
from pollctl import Answer
from pollctl.targets import Change, News, Target, TargetPlugin

def read(answer: Answer, target: Target) -> str:
    return answer.body.decode()

def compare(before: str | None, now: str, target: Target) -> Change[str]:
    return Change(now, [News(now)])

plugin = TargetPlugin("pages", Target, str, key="pages", summary="Pages of one file.", read=read, compare=compare)
"""


class Folder(Place):
    """A place with a folder of plugins."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.plugins = folder / "plugins"
        self.plugins.mkdir(mode=0o755)
        self.settings('plugins_dir = "plugins"')

    def put(self, name: str, source: str) -> Path:
        path = self.plugins / f"{name}.py"
        path.write_text(source)
        self.settings('plugins_dir = "plugins"', *(f"[plugins.{one.stem}]" for one in self.plugins.glob("[!_.]*.py")))
        return path

    def message(self, name: str) -> str:
        """What ``plugins`` says is wrong with one."""
        [found] = [row for row in json_of(self.call("plugins", "--json")) if row["plugin"] == name]
        return found["error"] or ""

    def pass_of(self, name: str) -> Done:
        return self.call("run", name, "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_module_with_hooks_is_a_plugin_without_packaging(folder: Folder) -> None:
    file = folder.put("parrot", parrot_source())
    report = json_of(folder.pass_of("parrot"))
    assert (report["outcome"], report["decisions"]) == ("ok", 2)
    [row] = [row for row in json_of(folder.call("plugins", "--json")) if row["plugin"] == "parrot"]
    assert (row["distribution"], row["version"], row["state"]) == (str(file), "", "enabled")
    assert f"{file}, enabled" in folder.call("check").stdout


def test_an_object_named_plugin_is_one_with_its_commands(folder: Folder) -> None:
    folder.put("pages", TARGETS)
    assert json_of(folder.pass_of("pages"))["outcome"] == "ok"
    assert folder.call("pages", "add", "http://127.0.0.1:1/").returncode == 0
    assert [row["name"] for row in json_of(folder.call("pages", "pages", "--json"))] == ["http://127.0.0.1:1/"]
    assert "pages" in folder.call("--help").stdout


def test_it_is_known_wherever_a_name_is_asked_for(folder: Folder) -> None:
    folder.put("parrot", parrot_source())
    assert list(json_of(folder.call("due", "--json"))) == ["parrot"]
    assert "plugins/parrot.py" in folder.call("why", "parrot").stdout
    assert folder.call("due", "--run").returncode == 0
    [row] = json_of(folder.call("status", "--json"))
    assert (row["plugin"], row["outcome"], row["problem"]) == ("parrot", "ok", None)
    assert "no plugin named 'parot' (did you mean 'parrot'?)" in folder.call("run", "parot").stderr


def test_settings_named_behind_its_command_have_it_too(folder: Folder, tmp_path: Path) -> None:
    folder.put("pages", TARGETS)
    settings = (tmp_path / "pollctl.toml").rename(tmp_path / "other.toml")
    assert folder.call("pages", "pages", "--config", str(settings)).returncode == 0


def test_its_name_takes_the_place_of_no_module(folder: Folder) -> None:
    folder.put("json", PLAIN.replace("import", "import json as library\nassert library.loads\nimport", 1))
    assert folder.message("json") == ""


def test_a_changed_file_is_another_plugin_at_once(folder: Folder) -> None:
    file = folder.put("parrot", parrot_source())
    assert folder.pass_of("parrot").returncode == 0
    stamp = file.stat()
    file.write_text(f"{parrot_source()}\nraise LookupError('gone')\n")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert "LookupError: gone" in folder.message("parrot")


BROKEN = {
    "syntax": ("import this is wrong\n", "cannot be imported: SyntaxError: invalid syntax (syntax.py:1)"),
    "raising": ("\n\n1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero (raising.py:3)"),
    "in_a_library": ("import json\njson.loads('')\n", "(in_a_library.py:2, in json/decoder.py)"),
    "empty": ("word = 1\n", "it lacks the hook pollctl_poller"),
    "unnamed": (TARGETS.replace("plugin =", "pages ="), "pollctl_apply; its `pages` has them: call it `plugin`"),
    "misspelt": (PLAIN.replace("def pollctl_decide", "def pollctl_decyde"), "did you mean pollctl_decide?"),
    "large": ("#" * 1_000_001, "larger than 1 MB; that is not a plugin"),
}


def test_broken_ones_are_named_with_file_and_line_and_stop_no_other(folder: Folder) -> None:
    files = {name: folder.put(name, source) for name, (source, _) in BROKEN.items()}
    folder.put("pages", TARGETS.replace("    return Change", "    print(now)\n    return Change"))
    folder.put("parrot", parrot_source())
    found = {row["subject"]: row["text"] for row in json_of(folder.call("check", "--json")) if row["level"] == "FAIL"}
    for name, (_, says) in BROKEN.items():
        assert found[name].startswith(f"plugin '{name}' ({files[name]}): ")
        assert says in found[name]
    assert "pages.py:9: compare calls print()" in found["pages"]
    assert "(syntax.py:1)" in json_of(folder.pass_of("syntax"))["error"]["message"]
    assert json_of(folder.pass_of("parrot"))["outcome"] == "ok"


@pytest.mark.parametrize("mode", [0o666, 0o622])
def test_a_file_that_others_may_write_is_not_run(folder: Folder, mode: int) -> None:
    file = folder.put("parrot", "raise SystemExit('it was run')")
    file.chmod(mode)
    message = folder.message("parrot")
    assert f"plugin 'parrot' ({file}): not obeyed: others may write to it" in message
    assert f"mode {mode:04o}" in message
    assert "it was run" not in folder.pass_of("parrot").stdout


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_nothing_is_run_from_a_folder_that_others_may_write(folder: Folder, mode: int) -> None:
    folder.put("parrot", "raise SystemExit('it was run')")
    folder.plugins.chmod(mode)
    assert "not obeyed: its folder: others may write to it" in folder.message("parrot")
    done = folder.pass_of("parrot")
    assert done.returncode == 1
    assert "others may write to it" in done.stdout
    assert "it was run" not in done.stdout + done.stderr


def test_byte_code_that_lies_beside_it_is_not_run(folder: Folder) -> None:
    folder.put("parrot", parrot_source())
    folder.pass_of("parrot")
    assert [path.name for path in folder.plugins.iterdir()] == ["parrot.py"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_file_of_another_user_is_not_run(folder: Folder) -> None:
    file = folder.put("parrot", "raise SystemExit('it was run')")
    os.chown(file, 65534, 65534)
    assert "not obeyed: it belongs to" in folder.message("parrot")


def test_a_folder_that_is_not_there_is_told_and_stops_nothing_else(folder: Folder, tmp_path: Path) -> None:
    folder.plugin("parrot", parrot_source())
    folder.settings('plugins_dir = "plugin"', "[plugins.parrot]")
    fault = f"plugins_dir: {tmp_path}/plugin: there is no such folder"
    assert fault in folder.call("run", "parot").stderr
    listing = folder.call("plugins")
    assert (fault in listing.stderr, "plugin" in [line.split()[0] for line in listing.stdout.splitlines()[1:]]) == (
        True,
        False,
    )
    done = folder.call("check", "--json")
    [row] = [row for row in json_of(done) if row["level"] == "FAIL"]
    assert (row["subject"], row["text"]) == ("settings", f"pollctl.toml: pollctl.{fault}")
    assert folder.call("run", "parrot").returncode == 0
    folder.settings('plugins_dir = "plugin"', "[plugins.spring]")
    said = [row["text"] for row in json_of(folder.call("check", "--json")) if "plugins.spring" in row["text"]]
    assert ["(there are: latency, parrot, " in text for text in said] == [True]


def test_files_that_begin_with_an_underscore_or_a_dot_are_no_plugins(folder: Folder) -> None:
    for name in ("_shared", ".hidden"):
        folder.put(name, "raise SystemExit('it was run')")
    (folder.plugins / "notes.txt").write_text("")
    names = {row["plugin"] for row in json_of(folder.call("plugins", "--json"))}
    assert not {"shared", "hidden", "notes", "_shared"} & names


def test_a_name_that_is_taken_says_by_what(folder: Folder) -> None:
    folder.put("latency", PLAIN)
    folder.put("status", PLAIN)
    errors = [row["error"] for row in json_of(folder.call("plugins", "--json")) if row["error"]]
    assert any("the name 'latency' is taken by a plugin of pollctl" in error for error in errors)
    assert any("the name 'status' is taken by a command of pollctl" in error for error in errors)


def test_one_that_is_installed_too_is_refused_by_both_names(folder: Folder) -> None:
    folder.plugin("parrot", parrot_source())
    file = folder.put("parrot", parrot_source())
    assert f"the name is taken twice, by parrot-package and {file}" in folder.message("parrot")


def test_while_the_settings_are_wrong_its_section_is_not_called_unknown(folder: Folder) -> None:
    folder.put("parrot", parrot_source())
    folder.settings('plugins_dir = "plugins"\ndeadlin = "5s"', "[plugins.parrot]")
    failures = [row["text"] for row in json_of(folder.call("check", "--json")) if row["level"] == "FAIL"]
    assert len(failures) == 1
    assert "deadlin" in failures[0]
