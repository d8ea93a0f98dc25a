"""Plugins that misbehave, each in one way; the rest of each is a sound plugin with every hook."""

from __future__ import annotations

from msgspec import Struct

_HOOKS = {
    "fetch": "(run, db)",
    "load": "(db, batch, run)",
    "decide": "(state, batch, now, settings)",
    "apply": "(db, decisions, run)",
    "deliver": "(effect, run)",
    "settle": "(db, effect, result, run)",
}
_SOUND = {
    "fetch": "yield Batch(1)",
    "load": "return State([row['word'] for row in db.query('SELECT word FROM NAME_words')])",
    "decide": "return [Learn('hello', 'it is polite')]",
    "apply": "db.execute(\"INSERT OR IGNORE INTO NAME_words VALUES ('hello')\")\nrun.effect('say', run.id, {'word': 'hello'})",
    "deliver": "return {'said': effect.payload['word']}",
    "settle": "db.execute('INSERT OR IGNORE INTO NAME_words VALUES (?)', [effect.key])",
}
_HEAD = """
import asyncio, atexit, gc, io, locale, logging, os, resource, signal, sqlite3, subprocess, sys, threading, time, warnings
from pathlib import Path
import msgspec
from sqlite_utils import Migrations
from pollctl import Poller, hookimpl

here = Path(os.environ["HOME"])

class Settings(msgspec.Struct, frozen=True):
    word: str = "hello"

class Batch(msgspec.Struct, frozen=True):
    number: int

class State(msgspec.Struct, frozen=True):
    known: list[str]

class Learn(msgspec.Struct, frozen=True, tag=True):
    word: str
    reason: str

migrations = Migrations("NAME")

@migrations()
def m001(db):
    db.execute("CREATE TABLE NAME_words (word TEXT PRIMARY KEY) STRICT")

def recurse():
    return recurse()

@hookimpl
def pollctl_poller():
    POLLER
    return Poller(
        contract=1, summary="Learns a word.", settings=Settings, batch=Batch, state=State, decision=Learn,
        migrations=lambda: migrations, effects={"say": "keyed"},
    )
"""


def source(name: str, **bodies: str) -> str:
    """A plugin called *name* in which hooks are replaced; ``module`` stands at the top, ``poller`` before its facts."""
    head = _HEAD.replace("POLLER", bodies.get("poller", "pass"))
    parts = [head, bodies.get("module", "")]
    for hook, parameters in _HOOKS.items():
        body = bodies.get(hook, _SOUND[hook])
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        parts.append(f"@hookimpl\ndef pollctl_{hook}{parameters}:\n{indented}\n")
    return "\n".join(parts).replace("NAME", name)


class Misfit(Struct, frozen=True):
    """One way to misbehave.

    Attributes:
        bodies: what ``source`` replaces.
        outcome: of its pass under ``due --run``; empty where it has no row yet, ``any`` where either end is sound.
        says: words that must stand in what is said of it on stderr.
    """

    bodies: dict[str, str]
    outcome: str = "failed"
    says: tuple[str, ...] = ()


def _raising() -> dict[str, Misfit]:
    """Every hook raises what is no Exception, or what comes from deep below."""
    raised = {
        "exit": ("raise SystemExit(0)", "SystemExit"),
        "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        "recursion": ("recurse()", "RecursionError"),
        "memory": ("raise MemoryError", "MemoryError"),
        "base": ("raise BaseException('odd')", "BaseException"),
        "generator_exit": ("raise GeneratorExit", "GeneratorExit"),
        "cancelled": ("raise asyncio.CancelledError", "CancelledError"),
    }
    found = {}
    for hook in ("module", "poller", "fetch", "load", "decide", "apply", "deliver", "settle"):
        for how, (body, kind) in raised.items():
            text = f"{body}\nyield" if hook == "fetch" else body
            is_after = hook in ("deliver", "settle")
            says = (kind,) if not is_after else ("effects could not be delivered",)
            found[f"{hook}_{how}"] = Misfit({hook: text}, "partial" if is_after else "failed", says)
    return found


def _hanging() -> dict[str, Misfit]:
    """What only the deadline ends, while the database is free for others."""
    forever = "while True:\n    time.sleep(0.1)"
    ignoring = f"for n in (1, 2, 15):\n    signal.signal(n, signal.SIG_IGN)\n{forever}\nyield"
    killed = ("at the end of deadline and grace",)
    return {
        "module_hangs": Misfit({"module": forever}, "", killed),
        "poller_hangs": Misfit({"poller": "while True: time.sleep(0.1)"}, "", killed),
        "fetch_hangs": Misfit({"fetch": f"{forever}\nyield"}, "crashed", killed),
        "stops_itself": Misfit({"fetch": "os.kill(os.getpid(), signal.SIGSTOP)\nyield"}, "crashed", killed),
        "ignores_signals": Misfit({"fetch": ignoring}, "crashed", killed),
        "at_exit_hangs": Misfit({"fetch": "atexit.register(time.sleep, 100)\nyield Batch(1)"}, "ok", killed),
        "deliver_hangs": Misfit({"deliver": forever}, "partial"),
        "fetch_endless": Misfit({"fetch": "while True:\n    time.sleep(0.05)\n    yield Batch(1)"}, "any"),
    }


def _hanging_in_a_transaction() -> dict[str, Misfit]:
    """What only the deadline ends, and holds the database meanwhile."""
    forever, killed = "while True:\n    time.sleep(0.1)", ("at the end of deadline and grace",)
    return {
        f"{hook}_hangs": Misfit({hook: forever}, "crashed", killed) for hook in ("load", "decide", "apply", "settle")
    }


def _touching_the_database() -> dict[str, Misfit]:
    what = {
        "commits": ("db.conn.commit()", "TRANSACTION COMMIT"),
        "commits_by_sql": ("db.execute('COMMIT')", "TRANSACTION COMMIT"),
        "rolls_back": ("db.conn.rollback()", "TRANSACTION ROLLBACK"),
        "pragma": ("db.execute('PRAGMA journal_mode=OFF')", "PRAGMA journal_mode"),
        "attaches": ("db.execute(\"ATTACH 'other.db' AS other\")", "ATTACH"),
        "vacuums": ("db.execute('VACUUM')", ""),
        "script": ("db.conn.executescript('DELETE FROM NAME_words; COMMIT;')", ""),
        "core_rows": ("db.execute('DELETE FROM runs')", "DELETE from runs"),
        "closes": ("db.conn.close()", ""),
        "closes_all": ("db.close()", ""),
    }
    found = {}
    for hook in ("load", "apply", "settle"):
        for how, (body, named) in what.items():
            is_after = hook == "settle"
            says = ("could not be delivered",) if is_after else tuple(filter(None, (hook, named)))
            found[f"{hook}_{how}"] = Misfit({hook: body}, "partial" if is_after else "failed", says)
    found["load_writes"] = Misfit({"load": _SOUND["apply"].split("\n")[0]}, "failed", ("load may not", "INSERT into"))
    for how in ("pragma", "attaches", "core_rows", "closes"):
        body, named = what[how]
        found[f"fetch_{how}"] = Misfit({"fetch": f"{body}\nyield Batch(1)"}, "failed", ("fetch", named))
    return found


def _surroundings() -> dict[str, Misfit]:
    """What a plugin does to its process: the pass goes on or fails, and the supervisor hears of it."""
    bodies = {
        "dies": ("os._exit(0)", "crashed"),
        "dies_of_7": ("os._exit(7)", "crashed"),
        "kills_itself": ("os.kill(os.getpid(), signal.SIGKILL)", "crashed"),
        "aborts": ("os.abort()", "crashed"),
        "terminates_itself": ("os.kill(os.getpid(), signal.SIGTERM)", "interrupted"),
        "interrupts_itself": ("os.kill(os.getpid(), signal.SIGINT)", "interrupted"),
        "forks": ("if os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)", "ok"),
        "forks_away": (
            "if os.fork() == 0:\n    os.setsid()\n    (here / f'away-{os.getpid()}.pid').write_text(str(os.getpid()))\n    time.sleep(120)\n    os._exit(0)",
            "ok",
        ),
        "forks_and_returns": ("os.fork()", "any"),
        "starts_a_child": ("subprocess.Popen(['sleep', '60'])", "ok"),
        "closes_streams": ("for fd in range(3):\n    os.close(fd)", "any"),
        "closes_stdout": ("sys.stdout.close()", "ok"),
        "closes_stderr": ("sys.stderr.close()", "ok"),
        "closes_everything": ("os.closerange(3, 256)", "any"),
        "replaces_stdout": ("sys.stdout = io.StringIO()", "ok"),
        "drops_stdout": ("sys.stdout = sys.stderr = None", "ok"),
        "prints": ("print('words')\nos.system('echo words')\nsys.stdout.write('no end of line')", "ok"),
        "writes_raw": ("os.write(1, b'\\xff words')", "ok"),
        "changes_folder": ("os.chdir('/')", "ok"),
        "removes_folder": (
            "(here / 'gone').mkdir(exist_ok=True)\nos.chdir(here / 'gone')\n(here / 'gone').rmdir()",
            "ok",
        ),
        "changes_umask": ("os.umask(0)", "ok"),
        "changes_locale": ("locale.setlocale(locale.LC_ALL, 'C')\nos.environ.clear()", "ok"),
        "changes_signals": ("for n in (1, 2, 15):\n    signal.signal(n, signal.SIG_IGN)\nsignal.alarm(0)", "ok"),
        "warns": ("warnings.simplefilter('error')\ngc.disable()\nlogging.disable()", "ok"),
        "no_recursion": ("sys.setrecursionlimit(60)", "any"),
        "thread_stays": ("threading.Thread(target=time.sleep, args=(100,)).start()", "ok"),
        "at_exit_raises": ("atexit.register(recurse)", "ok"),
        "no_descriptors": ("resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))", "any"),
        "no_file_size": ("resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))", "any"),
        "alarm": ("signal.setitimer(signal.ITIMER_REAL, 0.01)\ntime.sleep(1)", "crashed"),
        "thread_raises": ("threading.Thread(target=recurse).start()", "ok"),
    }
    return {how: Misfit({"fetch": f"{body}\nyield Batch(1)"}, outcome) for how, (body, outcome) in bodies.items()}


def _wrong_types() -> dict[str, Misfit]:
    return {
        "fetch_returns_a_list": Misfit({"fetch": "return [Batch(1)]"}, "failed", ("fetch",)),
        "fetch_returns_nothing": Misfit({"fetch": "return None"}, "failed", ("fetch",)),
        "fetch_yields_text": Misfit({"fetch": "yield 'a batch'"}, "failed", ("fetch gave str, not Batch",)),
        "fetch_yields_objects": Misfit({"fetch": "yield object()"}, "failed", ("fetch gave object, not Batch",)),
        "fetch_yields_nothing": Misfit({"fetch": "yield None"}, "failed", ("fetch gave NoneType, not Batch",)),
        "load_answers_an_object": Misfit({"load": "return object()"}, "failed", ("load gave object, not State",)),
        "decide_answers_nothing": Misfit({"decide": "return None"}, "failed", ("decide answered NoneType",)),
        "decide_answers_a_generator": Misfit({"decide": "yield 1"}, "failed", ("decide answered generator",)),
        "decide_answers_objects": Misfit({"decide": "return [object()]"}, "failed", ("decide gave object, not Learn",)),
        "decide_answers_text": Misfit({"decide": "return 'text'"}, "failed", ("decide answered str",)),
        "effect_is_no_json": Misfit({"apply": "run.effect('say', 'k', object())"}, "failed", ("apply",)),
        "effect_key_is_none": Misfit({"apply": "run.effect('say', None, {})"}, "failed", ("apply",)),
        "effect_unknown": Misfit({"apply": "run.effect('shout', 'k', {})"}, "failed", ("'shout'",)),
        "counts_text": Misfit({"apply": "run.count(seen='many')"}, "failed", ("apply",)),
        "deliver_answers_an_object": Misfit({"deliver": "return object()"}, "partial", ("delivered",)),
        "failed_with_bytes": Misfit({"fetch": "run.failed(b'x', None)\nyield Batch(1)"}, "any", ()),
        "huge_batches": Misfit({"fetch": "for n in range(3):\n    yield Batch(10 ** 100_000 + n)"}, "any", ()),
        "huge_effect": Misfit({"apply": "run.effect('say', 'k', {'word': 'x' * 30_000_000})"}, "any", ()),
    }


def _unreadable() -> dict[str, Misfit]:
    return {
        "syntax": Misfit({"module": "def (:"}, "failed", ("cannot be imported: SyntaxError",)),
        "import_error": Misfit({"module": "import nonesuch"}, "failed", ("cannot be imported: ModuleNotFoundError",)),
        "nul": Misfit({"module": "\0"}, "failed", ("cannot be imported",)),
        "dies_on_import": Misfit({"module": "os._exit(0)"}, "", ("without a word",)),
        "closes_streams_on_import": Misfit({"module": "os.close(1)"}, "any", ()),
    }


RAISING = _raising()
HANGING = _hanging()
HOLDING = _hanging_in_a_transaction()
DATABASE = _touching_the_database()
SURROUNDINGS = _surroundings()
TYPES = _wrong_types()
UNREADABLE = _unreadable()
