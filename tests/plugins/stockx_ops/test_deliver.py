"""What people are notified of, and where."""

from __future__ import annotations

from typing import Any

from plugins.stockx_ops.place import Place, at

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
    place.configure(core=f'[pollctl.notify]\nurls = ["json://{httpserver.host}:{httpserver.port}/all"]')
    place.insert("j")
    place.run()
    assert [request.path for request, _ in httpserver.log] == ["/all"]


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
