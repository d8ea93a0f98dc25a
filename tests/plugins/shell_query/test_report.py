"""What the report shows of shell_query."""

from datetime import timedelta

from shown import Shown, ago, spans_of

from pollctl import Timeline


def run(shown: Shown, name: str, status: str, minutes: float, ended: float | None = None) -> None:
    shown.insert(
        "shell_query_runs", id=f"id-of-{name}", name=name, target_de_customer_key="key", status=status, sql_text="SELECT secret",
        created_at=ago(minutes=minutes), completed_at=None if ended is None else ago(minutes=ended),
    )  # fmt: skip


def test_queries_are_lanes_from_submission_to_end() -> None:
    shown = Shown("shell_query")
    run(shown, "opens", "ready", 60, 50)
    run(shown, "clicks", "failed", 30, 28)
    run(shown, "bounces", "running", 2)
    run(shown, "old", "ready", 3000, 2990)
    (timeline,) = shown.blocks(Timeline)
    assert spans_of(timeline.lanes) == {
        "bounces": [("18:00", "18:02", "info")],
        "clicks": [("17:32", "17:34", "fail")],
        "opens": [("17:02", "17:12", "ok")],
    }


def test_the_eight_latest_are_drawn() -> None:
    shown = Shown("shell_query")
    for number in range(20):
        run(shown, f"query-{number}", "ready", 100 - number, 99 - number)
    (timeline,) = shown.blocks(Timeline)
    assert [lane.label for lane in timeline.lanes] == [f"query-{number}" for number in range(19, 11, -1)]


def test_the_figures_count_all_and_the_sql_is_not_shown() -> None:
    shown = Shown("shell_query")
    assert shown.figures == {"under way": 0, "ready": 0, "failed": 0, "median time": None}
    for number, (status, ended) in enumerate(
        [("ready", 50), ("ready", 40), ("failed", 58), ("queued", None), ("running", None)]
    ):
        run(shown, f"query-{number}", status, 60, ended)
    assert shown.figures == {"under way": 2, "ready": 2, "failed": 1, "median time": timedelta(minutes=10)}
    assert shown.section.summary == "2 ready, 1 failed, 1 running, 1 queued"
    assert "secret" not in repr(shown.section)
