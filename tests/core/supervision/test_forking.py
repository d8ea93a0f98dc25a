"""A pass that is forked from its supervisor finds the world that an interpreter started anew finds (speed 3)."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from core.supervision.supervised import Supervised, is_alive

pytestmark = pytest.mark.slow

LOOK = """
import atexit, json, random, signal, threading
world = {
    'is told its plugin': sys.argv[1:].count(NAME),
    'leads its session': os.getpid() == os.getsid(0) == os.getpgid(0),
    'stdin': sys.stdin.read(),
    'streams': [sys.stdout.isatty(), sys.stderr.isatty(), sys.stdout.encoding, sys.stderr.line_buffering],
    'descriptors': sorted(os.readlink(f'/proc/self/fd/{n}').partition(':')[0].replace(NAME, 'NAME') for n in os.listdir('/proc/self/fd') if int(n) > 2 and os.path.exists(f'/proc/self/fd/{n}')),
    'ignored': [n for n in (1, 2, 13, 15, 17) if signal.getsignal(n) is signal.SIG_IGN],
    'blocked': sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    'here is on the path': str(here) in sys.path or '' in sys.path,
    'threads': sorted(thread.name for thread in threading.enumerate()),
    'environ': sorted(set(os.environ) - {'LC_CTYPE'}),
    'log': run.now.isoformat(),
}
(here / NAME).write_text(json.dumps([world, random.random()]))
atexit.register((here / (NAME + '.left')).write_text, 'good bye')
yield Batch(1)
"""


@pytest.fixture
def world(tmp_path: Path) -> Supervised:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]\n[plugins.beta]")
    for name in ("alpha", "beta"):
        world.fetching(name, f"NAME = {name!r}\n{LOOK}")
    return world


def found(world: Supervised, *words: str, **more: Any) -> list[Any]:
    assert world.due_run(*words, **more).returncode == 0
    return [json.loads((world.folder / name).read_text()) for name in ("alpha", "beta")]


def test_both_ways_give_the_same_world_and_call_what_waits_for_the_exit(world: Supervised) -> None:
    (alpha, drawn), (beta, other) = found(world)
    assert alpha == beta
    assert drawn != other
    assert alpha["leads its session"]
    assert not alpha["here is on the path"]
    assert (alpha["stdin"], alpha["blocked"]) == ("", [])
    assert [(world.folder / f"{name}.left").read_text() for name in ("alpha", "beta")] == ["good bye"] * 2
    (by_hand, _), _ = found(world, "run", "alpha", "beta")
    assert alpha == {**by_hand, "log": alpha["log"]}


@pytest.mark.skipif(sys.platform != "linux", reason="passes are forked on Linux only")
def test_a_due_pass_is_forked_unless_that_cannot_be(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    world.fetching("alpha", "(here / 'began').write_bytes(Path('/proc/self/cmdline').read_bytes())\nyield Batch(1)")
    assert world.due_run().returncode == 0
    is_copy = b"--report-to" not in (world.folder / "began").read_bytes()
    assert is_copy == ("[forked]" in request.node.name)


def test_what_was_printed_before_comes_out_once(world: Supervised) -> None:
    world.settings("[plugins.alpha]\nschedule = 'never'\n[plugins.beta]")
    done = world.due_run("--log-format", "json", "due", "--run")
    assert done.stderr.count("never") == 1


KEEPS_FILES = """
import csv, tempfile
global LEVELS, SPARE
LEVELS = (here / 'levels.csv').open('a')
csv.writer(LEVELS).writerow(['level', 42])
SPARE = tempfile.NamedTemporaryFile(dir=here, suffix='.spare')
yield Batch(1)
"""


def test_what_a_plugin_keeps_open_is_written_and_closed(tmp_path: Path) -> None:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    world.fetching("alpha", KEEPS_FILES)
    for minute in range(3):
        assert world.due_run(minute=minute).returncode == 0
    assert (world.folder / "levels.csv").read_text() == "level,42\n" * 3
    assert not list(world.folder.glob("*.spare"))


LEAVES_MUCH = """
import logging, logging.handlers, sqlite3, tempfile, weakref, zipfile
global LINES, FOLDER, SPARE, ARCHIVE, LAST, LOOP, DATABASE
class Kept:
    pass
class Last:
    def __del__(self):
        (here / 'last').write_text('deleted')
def loop():
    try:
        yield 1
    finally:
        (here / 'loop').write_text('left')
LINES = (here / 'lines').open('w')
LINES.write('in a global')
ring = Kept()
ring.ring, ring.file = ring, (here / 'ring').open('w')
ring.file.write('in a circle')
os.kept = (here / 'elsewhere').open('w')
os.kept.write('in a module that was there')
SPARE = tempfile.NamedTemporaryFile(dir=here, suffix='.spare')
FOLDER = tempfile.TemporaryDirectory(dir=here, suffix='.folder')
ARCHIVE = zipfile.ZipFile(here / 'archive', 'w')
ARCHIVE.writestr('a', 'b')
handler = logging.handlers.MemoryHandler(100, target=logging.FileHandler(here / 'logged'))
logging.getLogger('kept').addHandler(handler)
logging.getLogger('kept').error('an error')
weakref.finalize(ring, (here / 'finalized').write_text, 'finalized')
LAST, LOOP = Last(), loop()
next(LOOP)
DATABASE = sqlite3.connect(here / 'own.db')
DATABASE.execute('CREATE TABLE t (n)')
DATABASE.execute('INSERT INTO t VALUES (1)')
print('printed at last', end='')
yield Batch(1)
"""


def test_what_a_plugin_leaves_has_the_end_that_python_gives_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    world.fetching("alpha", LEAVES_MUCH)
    done = world.due_run()
    assert (done.returncode, done.stderr) == (0, "alpha: printed at last\n")
    left = {name: (world.folder / name).read_text() for name in ("lines", "elsewhere", "logged")}
    if "[forked]" in request.node.name:  # Python may lose it: in circles it does not mind the order
        assert (world.folder / "ring").read_text() == "in a circle"
    assert left == {
        "lines": "in a global",
        "elsewhere": "in a module that was there",
        "logged": "an error\n",
    }
    assert [(world.folder / name).read_text() for name in ("last", "loop", "finalized")] == [
        "deleted",
        "left",
        "finalized",
    ]
    assert zipfile.ZipFile(world.folder / "archive").read("a") == b"b"
    assert not [path for path in world.folder.iterdir() if path.suffix in (".spare", ".folder")]
    assert not list(world.folder.glob("own.db-*"))


LEAVES_PROCESSES = """
import multiprocessing, threading
thread = threading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)], daemon=True)
thread.start()
child = multiprocessing.get_context('spawn').Process(target=time.sleep, args=(60,), daemon=True)
child.start()
(here / 'pid').write_text(str(child.pid))
yield Batch(1)
"""


def test_threads_and_processes_that_a_plugin_leaves_end_with_the_pass(tmp_path: Path) -> None:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    world.fetching("alpha", LEAVES_PROCESSES)
    done = world.due_run()
    assert (done.returncode, done.stderr) == (0, "")
    assert not is_alive(world.folder / "pid")


LEAVES_CALLS = """
for _ in run.map(lambda _: time.sleep(60), range(200), concurrency=200, timeout=0.1):
    pass
yield Batch(1)
"""


def test_calls_that_hang_do_not_hold_the_end_of_a_pass_however_many_they_are(tmp_path: Path) -> None:
    world = Supervised(tmp_path)
    world.settings("grace = '1s'", "[plugins.alpha]\ndeadline = '4s'")
    world.fetching("alpha", LEAVES_CALLS)
    done = world.due_run()
    assert (done.returncode, done.stderr) == (0, "")


def test_what_lies_beside_the_script_is_not_taken_for_a_module(tmp_path: Path) -> None:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    world.fetching("alpha", "import colorsys\n(here / 'taken').write_text(colorsys.__file__)\nyield Batch(1)")
    script = tmp_path / "bin" / "pollctl"
    script.parent.mkdir()
    script.write_text("import sys\nfrom pollctl.__main__ import main\nsys.exit(main())\n")
    (tmp_path / "bin" / "colorsys.py").touch()
    command = [sys.executable, str(script), "due", "--run"]
    done = subprocess.run(command, cwd=tmp_path, env=world.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not Path((world.folder / "taken").read_text()).is_relative_to(tmp_path)


def test_last_words_are_heard_where_nothing_is_to_be_buffered(tmp_path: Path) -> None:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    world.env["PYTHONUNBUFFERED"] = "1"
    world.fetching("alpha", "print('last words')\nos._exit(7)\nyield Batch(1)")
    assert "alpha: last words\n" in world.due_run().stderr
