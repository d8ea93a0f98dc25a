"""Whole answers that went wrong once, in passes: the word decides, whatever stands beside it."""

from __future__ import annotations

from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import Reply


def body(text: str) -> Reply:
    return Reply(body=text.encode())


# rules 4 to 7


def test_a_price_with_a_fraction_completes_the_job_and_is_kept_with_a_warning(place: Place) -> None:
    place.sql(
        "INSERT INTO stockx_listings (stockx_listing_id, user_id, status, ask_price, currency_code) "
        "VALUES ('listing-j', 'anna', 'INACTIVE', 120, 'GBP')"
    )
    answer = '{"operationStatus":"SUCCEEDED","changes":{"additions":{"askData":{"amount":"129.5","currency":"GBP"}}}}'
    place.upstream.script = {"op-j": [body(answer)]}
    place.insert("j", job_type="update_listing")
    report = place.run()
    assert (report["outcome"], report["stats"]["completed"], report["stats"]["warnings"]) == ("ok", 1, 1)
    assert place.sql("SELECT status, ask_price, currency_code FROM stockx_listings") == [("ACTIVE", 120, "GBP")]
    ((status, metadata),) = place.history("j")
    assert (status, metadata["warnings"]) == ("ACTIVE", ["the amount '129.5' is not one of whole units"])
    assert "pollctl_stockx_ops_warnings_total 1.0" in place.do("metrics")


def test_an_error_that_is_a_list_fails_the_job_with_its_text(place: Place) -> None:
    place.upstream.script = {"op-j": [body('{"operationStatus":"FAILED","error":["Variant not eligible"]}')]}
    place.insert("j")
    place.run()
    assert place.job("j") == ("FAILED", "operation_failed", "Variant not eligible")


def test_a_price_with_a_fraction_completes_a_job_of_the_other_dialect_too(place: Place) -> None:
    place.configure(dialect="operations")
    place.upstream.script = {"op-j": [Reply(state="completed", listing_id="L1", amount=150.5, currency="USD")]}
    place.insert("j")
    place.run()
    assert place.job("j", "status") == "COMPLETED"
    assert place.sql("SELECT stockx_listing_id, ask_price FROM stockx_listings") == [("L1", None)]


def test_a_life_written_as_text_loses_no_token(place: Place) -> None:
    place.upstream.rotates, place.upstream.lifetime = True, "43200"
    place.insert("j")
    assert place.run()["stats"]["completed"] == 1
    ((refresh_token, expires_at, status),) = place.sql("SELECT refresh_token, expires_at, status FROM stockx_accounts")
    assert (refresh_token in place.upstream.users, expires_at, status) == (True, at(43_200), "ACTIVE")
