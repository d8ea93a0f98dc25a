"""``get_many(..., cache=True)``: unchanged answers are known as such, and none is taken for seen that was not (authors §2)."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from hostile_server import HostileServer, Peer
from place import Place
from sample_plugin import plugin

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

FETCH = """(run):
    headers = dict(run.settings.headers)
    requests = [Request(url=url, headers=headers, tag=url) for url in run.settings.urls]
    answers = run.get_many(requests, cache=True, concurrency=1)
    if run.settings.how == "all at once":
        answers = list(answers)
    for answer in answers:
        page = answer.request.tag.rpartition("/")[2]
        assert dict(answer.request.headers) == headers
        if answer.is_unchanged:
            run.count(unchanged=1)
            run.reached(page)
            continue
        run.count(read=1)
        if run.settings.how == "cannot be read":
            run.failed(page, "it cannot be read")
            yield Batch(page, "")
        elif run.settings.how == "delivers first":
            run.deliver_due(seconds=1)
            raise RuntimeError("boom")
        elif run.settings.how != "gives nothing":
            yield Batch(page, answer.body.decode())"""
APPLY = """(db, decisions, run):
    for one in decisions:
        db.execute("INSERT OR REPLACE INTO reader_pages VALUES (?, ?)", [one.page, one.text])
    if run.settings.how == "rolled back":
        raise RuntimeError("boom")"""
SOURCE = plugin(
    "reader",
    "Reads pages.",
    {
        "Settings": 'urls: list[str]\nhow: str = "well"\nheaders: dict[str, str] = {}',
        "Batch": "page: str\ntext: str",
        "Page": "page: str\ntext: str",
    },
    tables=["pages (page TEXT PRIMARY KEY, text TEXT)"],
    fetch=FETCH,
    decide="(batch):\n    return [Page(batch.page, batch.text, 'read')]",
    apply=APPLY,
)


@pytest.fixture(autouse=True, params=["python", pytest.param("curl", marks=pytest.mark.slow)])
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both: what is asked again is a GET of many."""
    if request.param == "python":
        monkeypatch.setitem(sys.modules, "pycurl", None)  # as where it is not installed
    elif not find_spec("pycurl"):
        pytest.skip("the extra pollctl[curl] is not installed")


class Pages(FakeUpstream):
    """Pages ``/0`` and ``/1``, each with a text; ``tags`` says by which validators they are known."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = {"/0": "old", "/1": "old"}
        self.tags: tuple[str, ...] = ("ETag", "Last-Modified")
        self.asked: list[tuple[str, bool]] = []
        self._lock = threading.Lock()

    def respond(self, request: ServerRequest) -> ServerResponse:
        text = self.texts[request.path]
        known = {"ETag": f'"{text}"', "Last-Modified": f"of {text}"}
        asked = {
            "ETag": request.headers.get("if-none-match"),
            "Last-Modified": request.headers.get("if-modified-since"),
        }
        is_known = bool(self.tags) and all(asked[name] == known[name] for name in self.tags)
        with self._lock:
            self.asked.append((request.path, any(asked.values())))
        if is_known:
            return ServerResponse(304)
        return ServerResponse(body=text.encode(), headers={name: known[name] for name in self.tags})


class Reader:
    """A plugin that reads two pages, and what its passes made of them."""

    def __init__(self, folder: Path, pages: Pages) -> None:
        self.place = Place(folder)
        self.place.plugin("reader", SOURCE)
        self.pages = pages

    def run(self, how: str = "well", headers: str = "{}") -> dict[str, int]:
        """What a pass counted."""
        urls = [f"{self.pages.url}/0", f"{self.pages.url}/1"]
        self.place.settings(f'[plugins.reader]\nbackoff = "0s"\nhow = "{how}"\nheaders = {headers}\nurls = {urls}')
        self.place.call("run", "reader")
        ((stats,),) = self.place.sql("SELECT stats FROM runs ORDER BY id DESC LIMIT 1")
        found: dict[str, int] = json.loads(stats)
        return found

    @property
    def texts(self) -> list[tuple[str, str]]:
        return self.place.sql("SELECT page, text FROM reader_pages ORDER BY page")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with Pages() as pages:
        yield Reader(tmp_path, pages)


@pytest.mark.parametrize("tags", [("ETag",), ("Last-Modified",), ("ETag", "Last-Modified")], ids="+".join)
def test_what_has_not_changed_is_not_read_again(reader: Reader, tags: Sequence[str]) -> None:
    reader.pages.tags = tuple(tags)
    assert reader.run() == {"read": 2}
    assert reader.run() == {"unchanged": 2}
    reader.pages.texts["/1"] = "new"
    assert reader.run() == {"read": 1, "unchanged": 1}
    assert reader.texts == [("0", "old"), ("1", "new")]
    assert reader.run() == {"unchanged": 2}


def test_an_upstream_that_names_nothing_any_more_is_asked_in_full(reader: Reader) -> None:
    reader.run()
    reader.pages.tags = ()
    assert reader.run() == {"read": 2}
    assert reader.run() == {"read": 2}
    assert [is_conditional for _, is_conditional in reader.pages.asked] == [False, False, True, True, False, False]


@pytest.mark.parametrize("how", ["cannot be read", "rolled back", "gives nothing", "delivers first", "all at once"])
def test_nothing_is_kept_of_an_answer_that_no_batch_was_made_of(reader: Reader, how: str) -> None:
    reader.run(how)
    assert reader.place.sql("SELECT * FROM validators") == []
    assert reader.run() == {"read": 2}


@pytest.mark.parametrize("how", ["cannot be read", "rolled back", "gives nothing", "delivers first", "all at once"])
def test_what_was_kept_before_stays_where_nothing_is_kept_of_a_later_answer(reader: Reader, how: str) -> None:
    reader.run()
    before = reader.place.sql("SELECT * FROM validators")
    reader.pages.texts = {"/0": "new", "/1": "new"}
    reader.run(how)
    assert reader.place.sql("SELECT * FROM validators") == before
    assert reader.run() == {"read": 2}
    assert reader.texts == [("0", "new"), ("1", "new")]


def test_it_is_kept_by_address_and_headers_of_the_request(reader: Reader) -> None:
    reader.run(headers='{ Accept-Language = "en" }')
    assert reader.run(headers='{ Accept-Language = "nl" }') == {"read": 2}
    assert reader.run(headers='{ accept-language = "en" }') == {"unchanged": 2}


def test_one_that_wants_the_answer_in_full_gets_it_and_it_is_kept(reader: Reader) -> None:
    reader.run()
    reader.pages.texts["/1"] = "new"
    assert reader.run(headers='{ Cache-Control = "no-cache" }') == {"read": 2}
    assert reader.run() == {"unchanged": 2}


def test_one_with_conditions_of_its_own_goes_as_it_is(reader: Reader) -> None:
    reader.run()
    assert reader.run(headers="""{ If-None-Match = '"old"', If-Modified-Since = "of old" }""") == {"unchanged": 2}
    assert reader.run(headers="""{ If-None-Match = '"other"' }""") == {"read": 2}
    assert reader.run() == {"unchanged": 2}


def test_a_plan_asks_with_what_is_kept_and_keeps_nothing(reader: Reader) -> None:
    reader.run()
    reader.pages.texts["/1"] = "new"
    assert '"new"' in reader.place.do("plan", "reader", "--json")
    assert reader.run() == {"read": 1, "unchanged": 1}


def test_rows_in_which_bytes_flipped_are_as_none(reader: Reader) -> None:
    reader.run()
    reader.place.sql("UPDATE validators SET headers = CAST(x'7bff' AS TEXT)")
    assert reader.run() == {"read": 2}


def test_old_rows_go(reader: Reader) -> None:
    reader.run()
    reader.place.sql("UPDATE validators SET kept_at = '2020-01-01T00:00:00.000Z'")
    reader.place.do("db", "prune")
    assert reader.place.sql("SELECT * FROM validators") == []


def test_a_304_that_tells_the_length_of_what_it_does_not_send_is_an_answer(tmp_path: Path) -> None:
    def play(peer: Peer) -> None:
        while peer.request():
            peer.send(b'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n')

    with HostileServer(play) as server:
        place = Place(tmp_path)
        place.plugin("reader", SOURCE)
        place.settings(f'[plugins.reader]\nurls = ["{server.url}0", "{server.url}1"]')
        place.do("run", "reader")
        assert place.sql("SELECT stats FROM runs") == [('{"unchanged": 2}',)]
