"""What the report shows of soc_sections."""

from shown import Shown, ago, spans_of

from pollctl import Timeline

NB = {"term": "92026", "campus": "NB"}


def section(shown: Shown, index: str, status: str, *changes: tuple[float, str]) -> None:
    shown.insert("soc_sections", **NB, index_number=index, status=status, title="CALCULUS", is_catalogued=1)
    for place, (hours, became) in enumerate(changes):
        before = "CLOSED" if became == "OPEN" else "OPEN"
        shown.insert(
            "soc_status_events", **NB, index_number=index, status=became, status_before=before,
            seat_delta=1 if became == "OPEN" else -1, episode=place, event_at=ago(hours=hours), dedupe_key=f"{index}:{place}",
            run_id="x",
        )  # fmt: skip


def subscribe(shown: Shown, index: str, people: int = 1, **more: object) -> None:
    for number in range(people):
        shown.insert("soc_subscriptions", **NB, index_number=index, contact=f"mailto://{number}@example.net", **more)


def test_a_lane_says_when_a_class_was_open() -> None:
    shown = Shown("soc_sections")
    section(shown, "00001", "OPEN", (30, "OPEN"), (20, "CLOSED"), (4, "OPEN"))
    section(shown, "00002", "CLOSED", (3, "OPEN"), (2, "CLOSED"))
    section(shown, "00003", "OPEN")
    section(shown, "00004", "CLOSED")
    for place in range(1, 5):
        subscribe(shown, f"0000{place}", 5 - place)
    (timeline,) = shown.blocks(Timeline)
    assert spans_of(timeline.lanes) == {
        "00001 CALCULUS": [("18:02", "22:02", "ok"), ("14:02", "18:02", "ok")],
        "00002 CALCULUS": [("15:02", "16:02", "ok")],
        "00003 CALCULUS": [("18:02", "18:02", "ok")],
        "00004 CALCULUS": [],
    }


def test_the_eight_that_are_wanted_most_are_drawn_and_nobodys_is_not() -> None:
    shown = Shown("soc_sections")
    for place in range(10, 20):
        section(shown, f"000{place}", "OPEN")
        subscribe(shown, f"000{place}", place - 9)
    section(shown, "00030", "OPEN")
    subscribe(shown, "00030", 20, status="unsubscribed")
    (timeline,) = shown.blocks(Timeline)
    assert [lane.label[:5] for lane in timeline.lanes] == [f"000{place}" for place in range(19, 11, -1)]


def test_openings_of_the_time_shown_are_counted_and_contacts_are_not_shown() -> None:
    shown = Shown("soc_sections")
    section(shown, "00001", "OPEN", (30, "OPEN"), (20, "CLOSED"), (4, "OPEN"))
    subscribe(shown, "00001", 2)
    shown.insert("soc_campuses", **NB, polls=9, failures=1, suspects=2, last_poll_at=ago(minutes=1))
    assert shown.figures == {"subscriptions": 2, "openings": 1, "answers held": 2}
    assert shown.rows("Campuses", "name", "open_sections", "polls") == [("92026 NB", 1, 9)]
    assert [row[0] for row in shown.rows("Latest events", "state")] == ["open", "closed", "open"]
    assert shown.section.summary == "NB 1 open"
    assert "example.net" not in repr(shown.section)
