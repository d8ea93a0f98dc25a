"""One effect whose delivery kills its process, among many: all others arrive, and it alone is given up.

Real processes that die by SIGSEGV, SIGABRT, SIGKILL, or for want of memory. ``POLLCTL_CAMPAIGN=full`` has the poison at every
place of the queue, else at one that is drawn; with a rollback journal and in WAL.
"""

from __future__ import annotations

import random
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from campaign import IS_FULL, SEED, WORKERS, figure
from msgspec import Struct
from plugin_package import Done, make_plugin_package, spawn_pollctl, write_settings
from sink import Sink

MAX_ATTEMPTS = 4
BELLS = 20
DEATHS = {
    "segfault": "ctypes.string_at(0)",
    "abort": "os.abort()",
    "kill": "os.kill(os.getpid(), signal.SIGKILL)",
    "out of memory": "take_all_memory()",
}
JOURNALS = ("rollback journal", "WAL")
PRETENDED = Path(__file__).parents[1] / "harness" / "pretended_sqlite"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

PLACES = range(BELLS) if IS_FULL else [random.Random(SEED).randrange(BELLS)]

SOURCE = """
import ctypes, os, resource, signal, time, urllib.request
import msgspec
from pollctl import DeliveryError, Poller, hookimpl

class Settings(msgspec.Struct, frozen=True):
    poison: int = 0
    kind: str = "ring"
    sink: str = ""

class Batch(msgspec.Struct, frozen=True):
    numbers: tuple[int, ...]

class Ring(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str

def take_all_memory():  # as code in C does that never looks at what malloc answers
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while True:
        libc.memset(ctypes.c_void_p(libc.malloc(ctypes.c_size_t(1 << 26))), 1, ctypes.c_size_t(1 << 12))

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Rings bells.", settings=Settings, batch=Batch, decision=Ring,
        effects={"ring": "keyed", "toll": "hold", "chime": "keyed"}, tireless=["chime"],
    )

@hookimpl
def pollctl_fetch(run):
    open("polled.txt", "a").write(f"{run.id}\\n")
    yield Batch(tuple(range(BELLS)))

@hookimpl
def pollctl_decide(batch):
    return [Ring(number, "it is time") for number in batch.numbers]

@hookimpl
def pollctl_apply(db, decisions, run):
    for ring in decisions:
        is_poison = ring.number == run.settings.poison
        run.effect(run.settings.kind if is_poison else "ring", f"bell-{ring.number}", {}, lane=f"bell-{ring.number}")
        run.effect("ring", f"second-{ring.number}", {}, lane=f"bell-{ring.number}")

@hookimpl
def pollctl_deliver(effect, run):
    if effect.key == f"bell-{run.settings.poison}":
        DEATH
    request = urllib.request.Request(run.settings.sink, b"", {"Idempotency-Key": effect.key})
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()
""".replace("BELLS", str(BELLS))


class Case(Struct, frozen=True):
    """Which effect is the poison, and how it kills."""

    death: str
    journal: str
    place: int
    kind: str = "ring"


class Tower:
    """A plugin that rings bells, one of them deadly, and those who hear them."""

    def __init__(self, folder: Path, case: Case, sink: Sink) -> None:
        folder.mkdir(parents=True)
        self.folder, self.case, self.sink = folder, case, sink
        self.env = make_plugin_package(folder, "bells", SOURCE.replace("DEATH", DEATHS[case.death]))
        if case.journal == "WAL":
            self.env["PYTHONPATH"] += f":{PRETENDED}"
            self.env["PRETENDED_SQLITE"] = "3.51.3"
        self.address = sink.url
        self._minute = 0

    def configure(self, *more: str) -> None:
        """Write the settings."""
        write_settings(
            self.folder,
            f"[pollctl.outbox]\nmax_attempts = {MAX_ATTEMPTS}\nbackoff = '1m'\nbackoff_max = '2m'",
            *more,
            f"[plugins.bells]\npoison = {self.case.place}\nkind = '{self.case.kind}'\nsink = '{self.address}/bells'",
        )

    def run(self) -> Done:
        """Make a pass, ten minutes after the last."""
        now = f"2026-01-01T{self._minute // 60:02}:{self._minute % 60:02}:00Z"
        self._minute += 10
        return spawn_pollctl(self.folder, {**self.env, "POLLCTL_NOW": now}, "run", "bells")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows that answer a query."""
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as db:
            return db.execute(query).fetchall()

    @property
    def heard(self) -> dict[str, int]:
        """How often each bell was heard."""
        return {key: number for key, number in self.sink.keys.items() if "bell-" in key or "second-" in key}

    @property
    def polls(self) -> int:
        """Passes that came as far as to fetch."""
        return len((self.folder / "polled.txt").read_text().split())


class Told(Struct, frozen=True):
    """What the passes of one case came to."""

    case: Case
    deaths: int
    arrived: int
    repeats: int


def tell(folder: Path, case: Case) -> Told:
    """Pass after pass until the poison is given up, or has killed more often than it may."""
    with Sink() as sink:
        tower = Tower(folder, case, sink)
        tower.configure()
        codes = [tower.run().returncode]
        assert codes[0] < 0, f"{case} lived"
        cut_off = {key for (key,) in tower.rows("SELECT key FROM outbox WHERE status='sending'")}
        codes += [tower.run().returncode, tower.run().returncode]
        check_neighbours(tower, cut_off)
        while codes[-1] < 0 and len(codes) < 12:
            codes.append(tower.run().returncode)
        check_poison(tower, codes)
        assert tower.rows("PRAGMA integrity_check") == [("ok",)]
        assert tower.rows("PRAGMA journal_mode") == [("wal" if case.journal == "WAL" else "delete",)]
        return Told(
            case, sum(code < 0 for code in codes), len(tower.heard), sum(tower.heard.values()) - len(tower.heard)
        )


def check_neighbours(tower: Tower, cut_off: set[object]) -> None:
    """Two passes after the crash: all have arrived; again under the same key only what was cut off with the poison."""
    place = tower.case.place
    everything = {f"{word}-{number}" for word in ("bell", "second") for number in range(BELLS)}
    assert set(tower.heard) == everything - {f"bell-{place}", f"second-{place}"}, tower.case
    repeated = {key for key, number in tower.heard.items() if number > 1}
    assert repeated <= cut_off, f"{tower.case}: {repeated - cut_off} were heard again without need"
    assert max(tower.heard.values()) <= 2
    late = tower.rows("SELECT key, status FROM outbox WHERE status NOT IN ('delivered', 'sending', 'pending')")
    assert late == [], f"{tower.case}: given up {late}"
    assert tower.rows("SELECT count(*) FROM outbox WHERE status<>'delivered'") == [(2,)]


def check_poison(tower: Tower, codes: Sequence[int]) -> None:
    """It alone is dead, after as many attempts alone as it may have; what stood behind it has its turn then."""
    place = tower.case.place
    rows = tower.rows("SELECT key, attempts - attempts_cut_off, tries_alone FROM outbox WHERE status='dead'")
    assert rows == [(f"bell-{place}", MAX_ATTEMPTS, MAX_ATTEMPTS)], (tower.case, codes)
    assert codes[-1] == 0
    assert sum(code < 0 for code in codes) == MAX_ATTEMPTS + 1
    assert f"second-{place}" in tower.heard
    assert tower.polls == len(codes) - 2, "a pass that dies before it polls is one too many"


CASES = [Case(death, journal, place) for place in PLACES for journal in JOURNALS for death in DEATHS]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Told]]:
    """All cases, side by side."""
    folder = tmp_path_factory.mktemp("towers")
    with ThreadPoolExecutor(WORKERS) as side_by_side:
        yield list(side_by_side.map(lambda numbered: tell(folder / str(numbered[0]), numbered[1]), enumerate(CASES)))


def test_all_neighbours_arrive_within_two_passes_and_the_poison_alone_is_given_up(told: list[Told]) -> None:
    assert len(told) == len(CASES)
    figure(
        f"poison: {len(told)} effects that kill, {sum(one.deaths for one in told)} passes killed by them, "
        f"{sum(one.arrived for one in told)} others arrived, {sum(one.repeats for one in told)} of them heard again, "
        "the poison alone dead"
    )


@pytest.mark.parametrize("journal", JOURNALS)
def test_people_are_told_though_the_poison_kills_each_pass(tmp_path: Path, journal: str) -> None:
    with Sink() as sink:
        tower = Tower(tmp_path / "tower", Case("abort", journal, 0, "chime"), sink)
        people = sink.url.replace("http", "json")
        tower.configure(f"[pollctl.notify]\nurls = ['{people}/people', '{people}/more']\nalert_after = 2")
        for _ in range(4):
            assert tower.run().returncode == -signal.SIGABRT
        alerts = {key: number for key, number in sink.keys.items() if key.startswith("pollctl.failing")}
        assert list(alerts.values()) == [1, 1]
        assert tower.rows("SELECT count(*) FROM outbox WHERE kind='pollctl.failing' AND status='delivered'") == [(2,)]


def test_a_tireless_poison_is_never_given_up_and_polling_goes_on(tmp_path: Path) -> None:
    with Sink() as sink:
        tower = Tower(tmp_path / "tower", Case("segfault", "WAL", 3, "chime"), sink)
        tower.configure()
        codes = [tower.run().returncode for _ in range(MAX_ATTEMPTS + 5)]
        assert codes[: MAX_ATTEMPTS + 1] == [-signal.SIGSEGV] * (MAX_ATTEMPTS + 1)
        assert codes[MAX_ATTEMPTS + 1 :] == [0, -signal.SIGSEGV] * 2, "it rests for a pass, then it is tried again"
        assert tower.polls == len(codes) - 2
        assert tower.rows("SELECT key, status FROM outbox WHERE status<>'delivered'") == [
            ("bell-3", "sending"),
            ("second-3", "pending"),
        ]


def test_a_poison_that_must_not_be_repeated_waits_for_a_person_after_the_first_death(tmp_path: Path) -> None:
    with Sink() as sink:
        tower = Tower(tmp_path / "tower", Case("abort", "rollback journal", 3, "toll"), sink)
        tower.configure()
        assert tower.run().returncode == -signal.SIGABRT
        assert tower.run().returncode == 0
        assert tower.rows("SELECT key, status FROM outbox WHERE status<>'delivered'") == [("bell-3", "unknown")]
        assert len(tower.heard) == 2 * BELLS - 1


def test_without_a_poison_no_bell_is_heard_twice(tmp_path: Path) -> None:
    with Sink() as sink:
        tower = Tower(tmp_path / "tower", Case("abort", "WAL", BELLS), sink)
        tower.configure()
        assert tower.run().returncode == 0
        assert set(tower.heard.values()) == {1}
        assert len(tower.heard) == 2 * BELLS
