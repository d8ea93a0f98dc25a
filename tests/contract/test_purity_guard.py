"""The purity check follows decide through its plugin: each planted violation is refused by file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted import DECIDE, DEEP, INIT, MODEL, RULES, SOUND, Planted

from pollctl import testing
from pollctl.plugin_host.conformance.purity import purity_problems

NOW = "it is given `now`"
SETTING = "make it a setting"
DRAW = "draw it in fetch"
FETCH = "read in fetch or load"
KEEP = "keep it in the database"

HELD = """
class A:
    def __init__(self):
        self.seen = {}
    def note(self, x):
        self.seen[x] = 1

ALL = A()

def add(x):
    return x + 1
"""
WITH_HELD = {**SOUND, "held.py": HELD}


def problems(planted: Planted, folder: Path, attribute: str = "") -> list[str]:
    with planted.loaded(folder, attribute) as plugin:
        found = testing.problems_of(plugin)
        assert found == purity_problems(plugin)
        return found


def assert_refused(planted: Planted, folder: Path, *words: str, attribute: str = "") -> None:
    """Every marked line is named, no other is, and the messages say *words*."""
    found = problems(planted, folder, attribute)
    marked = planted.marked()
    assert marked
    for place in marked:
        assert any(one.startswith(f"{place}: ") for one in found), (place, found)
    assert {one.split(": ")[0] for one in found} == set(marked), found
    for word in words:
        assert any(word in one for one in found), (word, found)


def test_what_fetch_and_apply_do_is_no_business_of_decide(tmp_path: Path) -> None:
    assert problems(Planted(SOUND), tmp_path) == []


DEEP_CASES = {
    # the clock
    "two modules away": ("import time", "time.time() # HERE", "words reads the clock (time.time)", NOW),
    "an alias of the function": ("from time import time as t", "t() # HERE", "(t, which is time.time)", NOW),
    "an alias of the module": (
        "import datetime as dt",
        "dt.datetime.now(dt.UTC) # HERE",
        "which is datetime.datetime.now",
    ),
    "an alias of the class": ("from datetime import datetime as D", "D.utcnow() # HERE", "reads the clock"),
    "a name given in the module": (
        "from datetime import datetime\nnow_of = datetime.now # HERE",
        "now_of() # HERE",
        "(now_of, which is datetime.datetime.now)",
    ),
    "a name given in the function": ("from datetime import datetime", "n = datetime.now # HERE\nn() # HERE", NOW),
    "a name of a name": ("import time\nx = time\ny = x", "y.time() # HERE", "which is time.time"),
    "today of a date": ("from datetime import date", "date.today() # HERE", NOW),
    "now of something unknown": ("", "settings.clock.now() # HERE", NOW),
    "a third party's clock": ("try:\n    import pendulum\nexcept ImportError:\n    pass", "pendulum.now() # HERE", NOW),
    "pollctl's own clock": ("from pollctl import clock", "clock.now() # HERE", "pollctl.clock.now", NOW),
    "a counter of time": ("import time", "time.perf_counter_ns() # HERE", NOW),
    "gmtime of now": ("import time", "time.gmtime() # HERE", NOW),
    "passed on": ("import time", "max([1], key=time.monotonic_ns) # HERE", NOW),
    "bound": ("import time\nfrom functools import partial", "partial(time.time)() # HERE", NOW),
    "in a default": ("import time", "def inner(at=time.time()): # HERE\n    pass", NOW),
    "in a lambda": ("import time", "f = lambda: time.time() # HERE", NOW),
    "in a comprehension": ("import time", "[time.time() for _ in 'x'] # HERE", NOW),
    "in a nested function": ("import time", "def inner():\n    return time.time() # HERE", NOW),
    "in a nested class": ("import time", "class A:\n    def f(self):\n        return time.time() # HERE", NOW),
    "by getattr": ("import time", "getattr(time, 'time')() # HERE", NOW),
    "imported on the way": ("", "from time import time\ntime() # HERE", NOW),
    "imported on the way, the module": ("", "import time as clock\nclock.time() # HERE", NOW),
    "everything imported": ("from time import *", "monotonic() # HERE", NOW),
    "read when it is imported": ("import time\nBEGAN = time.time() # HERE", "BEGAN", NOW),
    "held by a class": ("import time\nclass Clock:\n    read = time.time # HERE", "Clock.read()", NOW),
    "a branch of the module": (
        "import time\nif True:\n    def at():\n        return time.time() # HERE",
        "at()",
        NOW,
    ),
    "the zone of the machine": ("", "now.astimezone() # HERE", "time zone of this machine"),
    "local from a timestamp": ("from datetime import datetime", "datetime.fromtimestamp(1) # HERE", "name the zone"),
    "a pause": ("import time", "time.sleep(0) # HERE", "waits"),
    # chance
    "chance": ("import random", "random.choice([1]) # HERE", DRAW),
    "an unseeded generator": ("from random import Random", "Random().random() # HERE", DRAW),
    "the system's generator": ("import random", "random.SystemRandom().random() # HERE", DRAW),
    "uuid": ("from uuid import uuid4", "uuid4() # HERE", DRAW),
    "secrets": ("import secrets", "secrets.token_hex(4) # HERE", DRAW),
    "urandom": ("import os", "os.urandom(4) # HERE", DRAW),
    "hash of text": ("", "hash('a') # HERE", "differs from process to process"),
    # the environment
    "environ": ("import os", "os.environ['X'] # HERE", SETTING),
    "environ under another name": ("from os import environ as e", "e.get('X') # HERE", "which is os.environ", SETTING),
    "getenv": ("import os", "os.getenv('X') # HERE", SETTING),
    "the user's home": ("from pathlib import Path", "Path.home() # HERE", SETTING),
    "the host": ("import platform", "platform.node() # HERE", SETTING),
    "arguments": ("import sys", "sys.argv[1:] # HERE", SETTING),
    # files, network, processes, threads, people
    "open": ("", "open('x') # HERE", "calls open()", FETCH),
    "a path": ("from pathlib import Path", "Path('x').exists() # HERE", FETCH),
    "a path in a variable": ("from pathlib import Path", "p = Path('x')\np.stat() # HERE", FETCH),
    "a path joined": ("from pathlib import Path", "p = Path('x') / 'y'\np.open() # HERE", FETCH),
    "a path of the settings": ("", "settings.wsdl.read_text() # HERE", FETCH),
    "a path by its type": (
        "from pathlib import Path",
        "def inner(p: Path | None):\n    return p.stat() # HERE",
        FETCH,
    ),
    "a path by its type in quotes": (
        "from pathlib import Path",
        "def inner(p: 'Path'):\n    return p.stat() # HERE",
        FETCH,
    ),
    "a folder": ("import os", "os.listdir('.') # HERE", FETCH),
    "whether a file is there": ("from os import path", "path.exists('x') # HERE", FETCH),
    "a socket": ("import socket", "socket.socket() # HERE", "ask in fetch"),
    "a request": ("", "import requests\nrequests.get('http://x') # HERE", "ask in fetch"),
    "urlopen": ("from urllib import request", "request.urlopen('http://x') # HERE", "ask in fetch"),
    "a database": ("import sqlite3", "sqlite3.connect(':memory:') # HERE", "read in load"),
    "a statement": ("", "settings.db.execute('SELECT 1') # HERE", "read in load"),
    "a process": ("import subprocess", "subprocess.run(['true']) # HERE", "deals with processes"),
    "a thread": ("import threading", "threading.Thread(target=print).start() # HERE", "uses threads"),
    "a pool": (
        "from concurrent.futures import ThreadPoolExecutor as Pool",
        "Pool() # HERE",
        "uses threads",
    ),
    "print": ("", "print('x') # HERE", "calls print()", "`reason`"),
    "print passed on": ("", "list(map(print, 'x')) # HERE", "speaks past the pass"),
    "a log": ("import logging\nlog = logging.getLogger() # HERE", "log.info('x') # HERE", "speaks past the pass"),
    "evaluated": ("", "eval('1') # HERE", "cannot be followed"),
    "imported by name": ("import importlib", "importlib.import_module('time').time() # HERE", "cannot be followed"),
    # state
    "a global": ("n = 0", "global n # HERE\nn += 1", "changes a global (n)", KEEP),
    "a table": ("seen = {}", "seen['x'] = 1 # HERE", "changes a global (seen['x'])", KEEP),
    "a table deep within": ("seen = {'x': {}}", "seen['x']['y'] = 1 # HERE", KEEP),
    "a table under another name": ("seen = {}", "mine = seen\nmine['x'] = 1 # HERE", KEEP),
    "an item of a table": ("seen = {'x': []}", "mine = seen['x']\nmine.append(1) # HERE", KEEP),
    "deleted": ("seen = {}", "del seen['x'] # HERE", KEEP),
    "a list": ("seen = []", "seen.append(1) # HERE", KEEP),
    "a counter": ("from itertools import count\nnumbers = count()", "next(numbers) # HERE", KEEP),
    "a heap": ("import heapq\nheap = []", "heapq.heappush(heap, 1) # HERE", KEEP),
    "a table of another module": ("from PKG import rules", "rules.SEEN = 1 # HERE", KEEP),
    "an attribute of a function": ("", "words.calls = 1 # HERE", KEEP),
    "an attribute of a class": ("class A:\n    n = 0", "A.n += 1 # HERE", KEEP),
    "by a class method": (
        "class A:\n    n = 0\n    @classmethod\n    def more(cls):\n        cls.n += 1 # HERE",
        "A.more()",
        KEEP,
    ),
    "an object of the module": (
        "class A:\n    def __init__(self):\n        self.seen = []\n    def note(self, x):\n        self.seen.append(x)\nALL = A()",
        "ALL.note(1) # HERE",
        "changes a global (ALL.note(1))",
        KEEP,
    ),
    "an object of another module": (
        "from PKG.held import ALL",
        "ALL.note(1) # HERE",
        KEEP,
    ),
    "setattr": ("class A:\n    n = 0", "setattr(A, 'n', 1) # HERE", KEEP),
    "a default that is kept": ("def inner(seen=[]):\n    seen.append(1) # HERE", "inner()", KEEP),
    # ways there
    "a helper of a helper": ("import time\ndef a():\n    return b()\ndef b():\n    return time.time() # HERE", "a()"),
    "a property of a class": (
        "import os\nclass A:\n    @property\n    def host(self):\n        return os.environ['H'] # HERE",
        "A().host",
        SETTING,
    ),
    "a cached property": (
        "import os\nfrom functools import cached_property\nclass A:\n    @cached_property\n"
        "    def host(self):\n        return os.getenv('H') # HERE",
        "x = A()\nx.host",
        SETTING,
    ),
    "what Python calls": (
        "import time\nclass A:\n    def __lt__(self, other):\n        return time.time() # HERE",
        "sorted([A(), A()])",
        NOW,
    ),
    "a constructor": (
        "import time\nclass A:\n    def __init__(self):\n        self.at = time.time() # HERE",
        "A()",
        NOW,
    ),
    "a base class": (
        "import time\nclass B:\n    def at(self):\n        return time.time() # HERE\nclass A(B):\n    pass",
        "A().at()",
        NOW,
    ),
    "a subclass": (
        "import time\nclass B:\n    def at(self):\n        return 1\nclass A(B):\n"
        "    def at(self):\n        return time.time() # HERE",
        "B().at()",
        NOW,
    ),
    "a decorator": (
        "import time\ndef timed(f):\n    at = time.time() # HERE\n    return f\n@timed\ndef helper():\n    pass",
        "helper()",
        NOW,
    ),
    "a table of functions": (
        "import time\ndef a():\n    return time.time() # HERE\nRULES = {'a': a}",
        "RULES['a']()",
        NOW,
    ),
    "a table that a decorator fills": (
        "import time\nRULES = []\ndef rule(f):\n    RULES.append(f)\n    return f\n"
        "@rule\ndef a():\n    return time.time() # HERE",
        "[one() for one in RULES]",
        NOW,
    ),
    "a method by a name that is computed": (
        "import time\nclass A:\n    def on_x(self):\n        return time.time() # HERE",
        "getattr(A(), 'on_' + part.kind)()",
        NOW,
    ),
    "a method called by its name": (
        "import time\nfrom operator import methodcaller\nclass A:\n    def x(self):\n        return time.time() # HERE",
        "methodcaller('x')(A())",
        NOW,
    ),
    "a context manager": (
        "import time\nfrom contextlib import contextmanager\n@contextmanager\ndef timed():\n"
        "    yield time.time() # HERE",
        "with timed():\n    pass",
        NOW,
    ),
    "a generator": ("import time\ndef times():\n    yield time.time() # HERE", "list(times())", NOW),
    "a wrapper that counts": (
        "N = []\ndef counted(f):\n    def inner():\n        N.append(1) # HERE\n        return f()\n    return inner\n"
        "@counted\ndef a():\n    pass",
        "a()",
        KEEP,
    ),
    "a table filled on import, and by decide": (
        "T = {}\ndef fill():\n    T['e'] = 4 # HERE\nN = fill()",
        "N\nfill()",
        KEEP,
    ),
    "a table filled by the module": (
        "import os\nHOSTS = {}\nfor name in os.environ: # HERE\n    HOSTS[name] = 1",
        "HOSTS.get('x')",
        SETTING,
    ),
    "a constant of a branch": (
        "import os\nif os.environ.get('X'): # HERE\n    LIMIT = 1\nelse:\n    LIMIT = 2",
        "LIMIT",
        SETTING,
    ),
}


@pytest.mark.parametrize("case", DEEP_CASES)
def test_what_is_not_pure_two_modules_away_is_refused(case: str, tmp_path: Path) -> None:
    top, body, *words = DEEP_CASES[case]
    assert_refused(Planted(WITH_HELD, TOP=top, BODY=body), tmp_path, *words)


CLEAN = {
    "a function of such a name": (
        "from PKG import rules\nclass A:\n    @staticmethod\n    def add(x):\n        return x",
        "A.add(1)",
    ),
    "a module's function of such a name": ("from PKG import held", "held.add(1)"),
    "a method of such a name that changes nothing": (
        "class A:\n    def add(self, x):\n        return A()\nZERO = A()",
        "ZERO.add(1)",
    ),
    "a look into a table": ("T = {'a': (1,)}", "T.get('a')\nT['a'].index(1)\nlist(T.items())"),
    "a time by its type": ("import time", "isinstance(part, time.struct_time)"),
    "the name of a file": ("import os", "os.path.basename('a/b')\nos.sep"),
    "a seeded generator": ("import random", "random.Random(part.number).random()\nrandom.Random(x=1).choice([1])"),
    "a seeded generator by its type": ("import random", "def f(r: random.Random):\n    return r.random()"),
    "a timestamp with its zone": ("from datetime import UTC, datetime", "datetime.fromtimestamp(1, UTC)"),
    "a zone": ("from zoneinfo import ZoneInfo", "now.astimezone(ZoneInfo('Europe/Vienna'))"),
    "a time that is given": ("import time", "time.gmtime(1)\ntime.strftime('%H', time.gmtime(1))"),
    "a name made of a name": ("from uuid import NAMESPACE_URL, uuid5", "uuid5(NAMESPACE_URL, 'x')"),
    "an error that is caught": ("import sqlite3", "try:\n    pass\nexcept (sqlite3.Error, OSError):\n    pass"),
    "a parameter of such a name": ("import time", "def inner(time):\n    return time.time()"),
    "a variable of such a name": ("import time as t", "time = part\ntime.time()"),
    "a field of such a name": ("", "settings.now\nsettings.open"),
    "a path without its file": ("from pathlib import PurePath", "PurePath('x').name"),
    "a file in memory": ("import io", "io.StringIO().write('x')"),
    "what the call made": ("", "seen = {}\nseen['x'] = 1\nseen.setdefault('y', []).append(2)"),
    "what the call made, in a class": (
        "class A:\n    def __init__(self):\n        self.seen = []\n    def add(self, x):\n        self.seen.append(x)",
        "A().add(1)",
    ),
    "a copy of a table": ("seen = {}", "mine = dict(seen)\nmine['x'] = 1\nmine.update(seen)"),
    "an own iterator": ("", "numbers = iter([1])\nnext(numbers)"),
    "its own hash": ("class A:\n    def __hash__(self):\n        return hash(('a', 1))", "{A()}"),
    "its own now": ("class A:\n    def now(self):\n        return 1", "A().now()"),
    "what only others call": ("import time\ndef fetch():\n    return time.time()", ""),
    "a method that only others call": (
        "import time\nclass Client:\n    def get(self):\n        return time.time()\ndef fetch():\n    return Client().get()",
        "{}.get('x')",
    ),
    "a variable that only others read": ("import os\nHOST = os.environ.get('H')\nLIMIT = 3", "LIMIT"),
    "text of such a name": ("", "x = 'open'\nx.upper()"),
    "a cached function": ("from functools import cache\n@cache\ndef twice(x):\n    return 2 * x", "twice(2)"),
    "a digest": ("from hashlib import sha1", "d = sha1()\nd.update(b'x')"),
    "a table that is filled on import": (
        "T = {}\nT['a'] = 1\nT.update(b=2)\nfor x in 'cd':\n    T[x] = 3\ndef fill():\n    T['e'] = 4\n    return 5\nN = fill()",
        "T['a']\nN",
    ),
    "a decorator that only notes": (
        "N = []\ndef noted(f):\n    N.append(f)\n    return f\n@noted\ndef a():\n    pass",
        "a()",
    ),
    "statistics": ("from statistics import median", "median([1, 2])"),
}


@pytest.mark.parametrize("case", CLEAN)
def test_what_only_sounds_impure_is_let_be(case: str, tmp_path: Path) -> None:
    top, body = CLEAN[case]
    assert problems(Planted(WITH_HELD, TOP=top, BODY=body or "pass"), tmp_path) == []


MODEL_CASES = {
    "chance in a default factory": (
        "from uuid import UUID, uuid4",
        "id: UUID = field(default_factory=uuid4) # HERE",
        DRAW,
    ),
    "chance in a factory of its own": (
        "import secrets\ndef fresh():\n    return secrets.token_hex(4) # HERE",
        "id: str = field(default_factory=fresh)",
        DRAW,
    ),
    "the clock in a lambda": (
        "from datetime import datetime",
        "at: datetime = field(default_factory=lambda: datetime.now()) # HERE",
        NOW,
    ),
    "the clock when the class is made": ("import time", "at: float = time.time() # HERE", NOW),
    "the environment in a property": (
        "import os",
        "@property\ndef label(self):\n    return os.environ['X'] # HERE",
        SETTING,
    ),
    "a check of values": ("import os", "def __post_init__(self):\n    os.getenv('X') # HERE", SETTING),
}


@pytest.mark.parametrize("case", MODEL_CASES)
@pytest.mark.parametrize("where", ["PART", "SEEN"], ids=["of what it is given", "of what it makes"])
def test_values_are_pure_too(case: str, where: str, tmp_path: Path) -> None:
    """A field of a value that decide is given is enough: no line of decide names its type."""
    top, body, *words = MODEL_CASES[case]
    files = {**SOUND, "rules.py": RULES.replace("part: Part", "part")}
    deep = "part.label\nSeen_of = None"
    assert_refused(Planted(files, MODEL_TOP=top, BODY=deep, **{where: body}), tmp_path, *words)


HOOK = "    from PKG import decide\n    return decide.decide("


def test_a_hook_that_reads_the_clock_before_it_delegates(tmp_path: Path) -> None:
    init = "import time\n" + INIT.replace(HOOK, f"    now = time.time() # HERE\n{HOOK}")
    assert_refused(Planted({**SOUND, "__init__.py": init}), tmp_path, "pollctl_decide reads the clock", NOW)


def test_a_hook_that_stands_in_another_module(tmp_path: Path) -> None:
    head, body = INIT.split("@hookimpl\ndef pollctl_decide")
    body, tail = body.split("@hookimpl\ndef pollctl_apply")
    hook = f"import time\nfrom pollctl import hookimpl\n@hookimpl\ndef pollctl_decide{body}".replace(
        HOOK, f"    time.time() # HERE\n{HOOK}"
    )
    init = f"from PKG.hooks import pollctl_decide\n{head}@hookimpl\ndef pollctl_apply{tail}"
    assert_refused(Planted({**SOUND, "__init__.py": init, "hooks.py": hook}), tmp_path, NOW)


def test_a_hook_that_was_decorated(tmp_path: Path) -> None:
    wrapper = (
        "import time\nfrom functools import wraps\ndef timed(f):\n    @wraps(f)\n"
        "    def inner(state, batch, now, settings):\n"
        "        time.time() # HERE\n        return f(state, batch, now, settings)\n    return inner\n"
    )
    init = wrapper + INIT.replace("def pollctl_decide", "@timed\ndef pollctl_decide")
    assert_refused(Planted({**SOUND, "__init__.py": init}), tmp_path, NOW)


def test_a_decide_that_lies_beside_the_hooks(tmp_path: Path) -> None:
    own = DECIDE.replace("    return", "    import os\n    os.getenv('X') # HERE\n    return")
    init = INIT.replace("    from PKG import decide\n    return decide.decide(", "    return decide(") + own
    assert_refused(Planted({**SOUND, "__init__.py": init, "decide.py": ""}), tmp_path, SETTING)


def test_a_plugin_of_one_file(tmp_path: Path) -> None:
    """Its decide is followed; what its fetch does is not."""
    model = MODEL.replace("MODEL_TOP", "").replace("    PART\n", "").replace("    SEEN\n", "")
    init = INIT.replace("from PKG.model import Batch, Seen, Settings, State\n", model)
    init = init.replace(
        "    from PKG import client\n    yield from client.get()", "    time.sleep(0)\n    yield Batch()"
    )
    init = init.replace(HOOK, "    return helper(").replace("    from PKG import store\n", "")
    helper = "import time\ndef helper(*_):\n    return [Seen(1, str(time.time()))] # HERE\n"
    assert_refused(Planted({"__init__.py": helper + init}), tmp_path, "helper reads the clock", NOW)


def test_a_decide_that_is_a_package(tmp_path: Path) -> None:
    files = {
        **SOUND,
        "decide.py": "",
        "decide/__init__.py": "from .verdicts import decide as decide\n",
        "decide/verdicts.py": DECIDE.replace("    return", "    time.time() # HERE\n    return") + "import time\n",
    }
    assert_refused(Planted(files), tmp_path, NOW)


@pytest.mark.parametrize("line", ["from PKG.far import words", "from .far import words", "from PKG.far import *"])
def test_a_function_that_is_passed_on_by_a_module_between(line: str, tmp_path: Path) -> None:
    far = DEEP.replace("BODY", "time.time() # HERE").replace("TOP", "import time")
    assert_refused(Planted({**SOUND, "deep.py": line + "\n", "far.py": far}), tmp_path, NOW)


def test_a_subclass_in_a_module_that_is_imported_for_its_effect(tmp_path: Path) -> None:
    files = {
        **SOUND,
        "far.py": "import time\nfrom PKG import deep\nclass A(deep.B):\n    def at(self):\n        return time.time() # HERE\n",
    }
    top = "class B:\n    def at(self):\n        return 1\nfrom PKG import far"
    assert_refused(Planted(files, TOP=top, BODY="B().at()"), tmp_path, NOW)


def test_a_plugin_that_is_an_object(tmp_path: Path) -> None:
    head, hooks = INIT.split("\n\n", 1)
    body = "\n".join(f"    {line}" for line in hooks.replace("(", "(self, ", 1).splitlines())
    for name in ("fetch(", "load(", "decide(", "apply("):
        body = body.replace(f"pollctl_{name}", f"pollctl_{name}self, ")
    body = body.replace("self, )", "self)").replace(
        "        return decide.decide(", "        self.at()\n        return decide.decide("
    )
    method = "    def at(self):\n        return time.time() # HERE\n"
    init = f"import time\n{head}\n\nclass Plugin:\n{body}\n{method}\nplugin = Plugin()\n"
    assert_refused(Planted({**SOUND, "__init__.py": init}), tmp_path, NOW, attribute="plugin")


def test_a_message_says_how_decide_comes_there(tmp_path: Path) -> None:
    planted = Planted(SOUND, TOP="import time", BODY="time.time()")
    (message,) = problems(planted, tmp_path)
    assert message == (
        f"{planted.package}/deep.py:4: words reads the clock (time.time); it is given `now` "
        "(reached by pollctl_decide > decide > judge > words)"
    )


def test_source_that_cannot_be_had_is_passed_over(tmp_path: Path) -> None:
    planted = Planted(SOUND)
    with planted.loaded(tmp_path) as plugin:
        (tmp_path / planted.package / "deep.py").unlink()
        (tmp_path / planted.package / "rules.py").write_text("not Python at all")
        assert purity_problems(plugin) == []
