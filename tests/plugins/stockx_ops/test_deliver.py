"""What people are notified of, and where."""

from __future__ import annotations

from typing import Any

from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import OPEN, Reply


def sent(httpserver: Any) -> list[Any]:
    return [request.get_json() for request, _ in httpserver.log]


# rule 14


def test_each_address_is_notified_once_of_a_listing_that_is_live_and_no_address_is_shown(
    place: Place, httpserver: Any
) -> None:
    httpserver.expect_request("/one").respond_with_data("ok")
    httpserver.expect_request("/two").respond_with_data("ok")
    urls = [f"json://{httpserver.host}:{httpserver.port}/{path}" for path in ("one", "two")]
    place.connect("anna", "--notify", urls[0], "--notify", urls[1])
    place.configure(notify=[f"json://{httpserver.host}:{httpserver.port}/never"])
    place.insert("j")
    place.run(at(0))
    place.run(at(30))
    notified = sorted((request.path, request.get_json()["title"]) for request, _ in httpserver.log)
    assert notified == [("/one", "StockX: listing listing-j is live"), ("/two", "StockX: listing listing-j is live")]
    assert str(httpserver.port) not in place.do("outbox", "list", "--json") + place.do("stockx-ops", "account", "list")


def test_the_addresses_of_pollctl_notify_are_notified_when_there_are_no_others(place: Place, httpserver: Any) -> None:
    httpserver.expect_request("/all").respond_with_data("ok")
    core = f'[pollctl.notify]\nurls = ["json://{httpserver.host}:{httpserver.port}/all"]'
    place.configure(core=core, timezone="Europe/Amsterdam")
    place.insert("j")
    place.run()
    ((request, _),) = httpserver.log
    assert request.path == "/all"
    assert request.get_json()["message"].splitlines()[0].endswith(" since 2026-03-08 13:00 CET.")


def test_people_are_told_why_a_job_failed_and_what_was_done_in_part(place: Place, httpserver: Any) -> None:
    httpserver.expect_request("/anna").respond_with_data("ok")
    place.configure(
        dialect="operations", timezone="Europe/Amsterdam", notify=[f"json://{httpserver.host}:{httpserver.port}/anna"]
    )
    partial = Reply(state="partial", listing_id="listing-half", error={"code": "S9", "message": "size 9 refused"})
    place.upstream.script = {"op-lost": [Reply(state="failed", error="Variant <9> not eligible")], "op-half": [partial]}
    place.upstream.otherwise = OPEN
    for name, age in (("lost", 60), ("half", 60), ("late", 901)):
        place.insert(name, started_at=at(-age))
    place.run(at(0))
    place.run(at(30))
    host = place.sql("SELECT host FROM runs")[0][0]
    told = {message["title"]: (message["type"], message["message"].splitlines()) for message in sent(httpserver)}
    assert told == {
        "StockX: create_listing of listing-lost failed": (
            "failure",
            [
                "anna: Variant <9> not eligible (followed since 2026-03-08 12:59 CET).",
                "`pollctl stockx-ops retry lost` asks once more.",
                f"stockx_ops on {host}",
            ],
        ),
        "StockX: create_listing of listing-half succeeded in part": (
            "warning",
            ["anna: done in part at 2026-03-08 13:00 CET: size 9 refused.", f"stockx_ops on {host}, job half"],
        ),
        "StockX: create_listing of listing-late timed out": (
            "failure",
            [
                "anna: Operation timed out after 15 minutes (followed since 2026-03-08 12:44:59 CET).",
                "`pollctl stockx-ops retry late` asks once more.",
                f"stockx_ops on {host}",
            ],
        ),
    }
    assert place.job("half") == ("PARTIAL", "S9", "size 9 refused")
    assert sorted(key.rpartition(":")[0] for key, _, _ in place.effects("job_*")) == [
        "job_failed:late:1", "job_failed:lost:1", "job_partial:half:1"
    ]  # fmt: skip


def test_what_notify_on_leaves_out_is_not_told(place: Place, httpserver: Any) -> None:
    httpserver.expect_request("/anna").respond_with_data("ok")
    place.configure(notify=[f"json://{httpserver.host}:{httpserver.port}/anna"], notify_on=["failed"])
    place.upstream.script = {"op-lost": [Reply(state="failed")]}
    place.insert("good")
    place.insert("lost")
    place.run(at(0))
    place.run(at(86_400))
    assert [message["title"] for message in sent(httpserver)] == ["StockX: create_listing of listing-lost failed"]


def test_yesterday_is_summed_up_in_the_first_pass_after_midnight_of_the_plugins_zone(place: Place) -> None:
    place.configure(timezone="America/New_York")
    place.connect("boris")
    place.insert("j1", started_at="2026-03-08T11:00:00.000Z")
    place.insert("j2", started_at="2026-03-08T04:59:59.999Z")  # still the 7th in New York
    for now, keys in (
        ("2026-03-08T13:00:00Z", ["daily_summary:anna:2026-03-07"]),
        ("2026-03-09T03:59:59.999Z", []),
        ("2026-03-09T04:00:00Z", ["daily_summary:anna:2026-03-08"]),
        ("2026-03-09T04:00:30Z", []),
        ("2026-03-10T12:00:00Z", []),
    ):
        before = len(place.effects("daily_summary"))
        place.run(now)
        assert [key for key, _, _ in place.effects("daily_summary")[before:]] == keys, now
