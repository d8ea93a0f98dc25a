"""What holds of every pass: secrets stay secret, and a plan changes nothing."""

from __future__ import annotations

import json

from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import COMPLETED, OPEN, Reply


def test_no_secret_reaches_recordings_effects_or_output(place: Place) -> None:
    place.configure(core='record = "all"')
    place.upstream.script = {"op-j2": [Reply(status=403, message="bad key fake-api-key of refresh-anna-start")]}
    for number in range(3):
        place.insert(f"j{number}")
    place.run(at(0), code=3)
    access = place.sql("SELECT access_token, refresh_token FROM stockx_accounts")[0]
    shown = json.dumps(
        place.sql("SELECT * FROM recordings")
        + place.sql("SELECT * FROM outbox")
        + place.sql("SELECT * FROM stockx_batch_jobs")
        + place.sql("SELECT * FROM stockx_listing_history")
    )
    shown += place.do("show", place.sql("SELECT id FROM runs")[0][0], "--json") + place.do(
        "stockx-ops", "account", "list", "--json"
    )
    for secret in (*access, "fake-api-key", "fake-client-secret"):
        assert secret not in shown
    assert ": same" in place.do("replay", "--all")


def test_a_plan_writes_nothing_refreshes_nothing_and_asks_what_it_can(place: Place) -> None:
    place.insert("j")
    planned = json.loads(place.do("plan", "stockx_ops", "--json", code=1))
    assert "must be refreshed, which a plan does not do" in planned["error"]["message"]
    assert place.upstream.refreshes == []

    place.upstream.script = {"op-first": [OPEN]}
    place.insert("first")
    place.upstream.otherwise = OPEN
    place.run(at(0))
    place.upstream.otherwise = COMPLETED
    before = place.sql("SELECT * FROM stockx_batch_jobs")
    planned = json.loads(place.do("plan", "stockx_ops", "--json", now=at(30)))
    assert {decision["type"] for decision in planned["decisions"]} == {"CompleteJob", "PostponeJob"}
    assert all(decision["reason"] for decision in planned["decisions"])
    assert place.sql("SELECT * FROM stockx_batch_jobs") == before
