"""Plugins that misbehave, each in one way; the rest of each is a sound plugin with every hook."""

from __future__ import annotations

from msgspec import Struct
from sample_plugin import indented, plugin

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
_MODULE = """
import asyncio, atexit, gc, io, locale, logging, resource, sqlite3, subprocess, threading, warnings
from pathlib import Path

here = Path(os.environ["HOME"])

def recurse():
    return recurse()
"""
_TYPES = {
    "Settings": 'word: str = "hello"',
    "Batch": "number: int",
    "State": "known: list[str]",
    "Learn": "word: str",
}


def source(name: str, **bodies: str) -> str:
    """A plugin called *name* in which hooks are replaced; ``module`` stands before them, ``poller`` before its facts."""
    hooks = {hook: f"{_HOOKS[hook]}:\n{indented(bodies.get(hook, _SOUND[hook]))}" for hook in _HOOKS}
    module = f"{_MODULE}\n{bodies.get('module', '')}"
    tables = ["words (word TEXT PRIMARY KEY)"]
    text = plugin(
        name, "Learns a word.", _TYPES, tables=tables, effects='{"say": "keyed"}', module=module, **hooks
    ).replace("NAME", name)
    return text.replace("    return Poller(", f"{indented(bodies.get('poller', 'pass'))}\n    return Poller(")


class Faulty(Struct, frozen=True):
    """One way to misbehave.

    Attributes:
        bodies: what ``source`` replaces.
        outcome: of its pass under ``due --run``; empty where it has no row yet, ``any`` where either end is sound.
        says: words that must stand in what is said of it on stderr.
    """

    bodies: dict[str, str]
    outcome: str = "failed"
    says: tuple[str, ...] = ()


def _raising() -> dict[str, Faulty]:
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
            says = (kind,) if not is_after else ("effect could not be delivered",)
            found[f"{hook}_{how}"] = Faulty({hook: text}, "partial" if is_after else "failed", says)
    return found


def _hanging() -> dict[str, Faulty]:
    """What only the deadline ends, while the database is free for others."""
    forever = "while True:\n    time.sleep(0.1)"
    ignoring = f"for n in (1, 2, 15):\n    signal.signal(n, signal.SIG_IGN)\n{forever}\nyield"
    killed = ("at the end of deadline and grace",)
    return {
        "module_hangs": Faulty({"module": forever}, "", killed),
        "poller_hangs": Faulty({"poller": "while True: time.sleep(0.1)"}, "", killed),
        "fetch_hangs": Faulty({"fetch": f"{forever}\nyield"}, "crashed", killed),
        "stops_itself": Faulty({"fetch": "os.kill(os.getpid(), signal.SIGSTOP)\nyield"}, "crashed", killed),
        "ignores_signals": Faulty({"fetch": ignoring}, "crashed", killed),
        "at_exit_hangs": Faulty({"fetch": "atexit.register(time.sleep, 100)\nyield Batch(1)"}, "ok", killed),
        "deliver_hangs": Faulty({"deliver": forever}, "partial"),
        "fetch_endless": Faulty({"fetch": "while True:\n    time.sleep(0.05)\n    yield Batch(1)"}, "any"),
    }


def _hanging_in_a_transaction() -> dict[str, Faulty]:
    """What only the deadline ends, and holds the database meanwhile."""
    forever, killed = "while True:\n    time.sleep(0.1)", ("at the end of deadline and grace",)
    hanging = dict.fromkeys(("load", "apply", "settle"), forever) | {"decide": "while True:\n    pass"}
    return {f"{hook}_hangs": Faulty({hook: body}, "crashed", killed) for hook, body in hanging.items()}


def _touching_the_database() -> dict[str, Faulty]:
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
            found[f"{hook}_{how}"] = Faulty({hook: body}, "partial" if is_after else "failed", says)
    found["load_writes"] = Faulty({"load": _SOUND["apply"].split("\n")[0]}, "failed", ("load may not", "INSERT into"))
    for how in ("pragma", "attaches", "core_rows", "closes"):
        body, named = what[how]
        found[f"fetch_{how}"] = Faulty({"fetch": f"{body}\nyield Batch(1)"}, "failed", ("fetch", named))
    return found


def _surroundings() -> dict[str, Faulty]:
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
    return {how: Faulty({"fetch": f"{body}\nyield Batch(1)"}, outcome) for how, (body, outcome) in bodies.items()}


def _wrong_types() -> dict[str, Faulty]:
    return {
        "fetch_returns_a_list": Faulty({"fetch": "return [Batch(1)]"}, "failed", ("fetch",)),
        "fetch_returns_nothing": Faulty({"fetch": "return None"}, "failed", ("fetch",)),
        "fetch_yields_text": Faulty({"fetch": "yield 'a batch'"}, "failed", ("fetch gave str, not Batch",)),
        "fetch_yields_objects": Faulty({"fetch": "yield object()"}, "failed", ("fetch gave object, not Batch",)),
        "fetch_yields_nothing": Faulty({"fetch": "yield None"}, "failed", ("fetch gave NoneType, not Batch",)),
        "load_answers_an_object": Faulty({"load": "return object()"}, "failed", ("load gave object, not State",)),
        "decide_answers_nothing": Faulty({"decide": "return None"}, "failed", ("decide answered NoneType",)),
        "decide_answers_a_generator": Faulty({"decide": "yield 1"}, "failed", ("decide answered generator",)),
        "decide_answers_objects": Faulty({"decide": "return [object()]"}, "failed", ("decide gave object, not Learn",)),
        "decide_answers_text": Faulty({"decide": "return 'text'"}, "failed", ("decide answered str",)),
        "effect_is_no_json": Faulty({"apply": "run.effect('say', 'k', object())"}, "failed", ("apply",)),
        "effect_key_is_none": Faulty({"apply": "run.effect('say', None, {})"}, "failed", ("apply",)),
        "effect_unknown": Faulty({"apply": "run.effect('shout', 'k', {})"}, "failed", ("'shout'",)),
        "counts_text": Faulty({"apply": "run.count(seen='many')"}, "failed", ("apply",)),
        "deliver_answers_an_object": Faulty({"deliver": "return object()"}, "partial", ("delivered",)),
        "failed_with_bytes": Faulty({"fetch": "run.failed(b'x', None)\nyield Batch(1)"}, "any", ()),
        "huge_batches": Faulty({"fetch": "for n in range(3):\n    yield Batch(10 ** 100_000 + n)"}, "any", ()),
        "huge_effect": Faulty({"apply": "run.effect('say', 'k', {'word': 'x' * 30_000_000})"}, "any", ()),
    }


def _unreadable() -> dict[str, Faulty]:
    return {
        "syntax": Faulty({"module": "def (:"}, "failed", ("cannot be imported: SyntaxError",)),
        "import_error": Faulty({"module": "import nonesuch"}, "failed", ("cannot be imported: ModuleNotFoundError",)),
        "nul": Faulty({"module": "\0"}, "failed", ("cannot be imported",)),
        "dies_on_import": Faulty({"module": "os._exit(0)"}, "", ("without saying why",)),
        "closes_streams_on_import": Faulty({"module": "os.close(1)"}, "any", ()),
    }


RAISING = _raising()
HANGING = _hanging()
HOLDING = _hanging_in_a_transaction()
DATABASE = _touching_the_database()
SURROUNDINGS = _surroundings()
TYPES = _wrong_types()
UNREADABLE = _unreadable()
