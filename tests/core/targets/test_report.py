"""What the report shows of a plugin of targets."""

from __future__ import annotations

from core.targets.watching import Watching
from plugin_package import json_of

from pollctl import to_text
from pollctl.fakes import ServerResponse

A, B = 'name = "a"\nurl = "/a"', 'name = "b"\nurl = "/b"'


def test_it_shows_what_changed_and_what_fails_first(watch: Watching) -> None:
    watch.settings(A, B)
    watch.pages_are(a="A", b="B")
    watch.run()
    watch.pages_are(a=ServerResponse(500), b="other")
    watch.run(minutes=10)
    watch.wait(minutes=10)
    report = json_of(watch.place.call("report", "watch", "--json", now=to_text(watch.at)))
    (section,) = report["plugins"][0]["sections"]
    figures, timeline, targets, latest = section["blocks"]
    assert {one["label"]: one["value"] for one in figures["figures"]} == {"targets": 2, "changed": 1, "failing": 1}
    assert [lane["label"] for lane in timeline["lanes"]] == ["a", "b"]
    assert [span["level"] for span in timeline["lanes"][0]["spans"]] == ["ok", "fail"]
    assert [(row["name"], row["state"]["word"]) for row in targets["rows"]] == [("a", "failing"), ("b", "ok")]
    assert "b" in {row["name"] for row in latest["rows"]}
    assert section["summary"] == "1 of 2 targets failing"
