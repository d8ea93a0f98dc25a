"""What the report shows of stockx_ops."""

from shown import Shown, ago, spans_of

from pollctl import Table, Timeline


def job(
    shown: Shown, name: str, status: str, minutes: float, ended: float | None = None, error: str | None = None
) -> None:
    shown.insert(
        "stockx_batch_jobs", id=name, user_id="ben", job_type="create_listing", status=status, stockx_listing_id=name,
        started_at=ago(minutes=minutes), completed_at=None if ended is None else ago(minutes=ended), error_message=error,
    )  # fmt: skip


def test_operations_are_lanes_from_start_to_end() -> None:
    shown = Shown("stockx_ops")
    job(shown, "shoe-1", "COMPLETED", 120, 110)
    job(shown, "shoe-2", "FAILED", 60, 50, "Variant not eligible")
    job(shown, "shoe-3", "IN_PROGRESS", 2)
    job(shown, "old", "COMPLETED", 3000, 2990)
    (timeline,) = shown.blocks(Timeline)
    assert spans_of(timeline.lanes) == {
        "shoe-3 create": [("18:00", "18:02", "info")],
        "shoe-2 create": [("17:02", "17:12", "fail")],
        "shoe-1 create": [("16:02", "16:12", "ok")],
    }
    assert timeline.start.strftime("%H:%M") == "16:02"
    assert timeline.lanes[1].spans[0].text == "failed: Variant not eligible"


def test_success_is_a_share_of_those_that_ended() -> None:
    shown = Shown("stockx_ops")
    assert shown.figures == {"open": 0, "completed": 0, "failed": 0, "success": None}
    for place, status in enumerate(("COMPLETED", "COMPLETED", "FAILED", "PARTIAL", "PENDING")):
        job(shown, f"shoe-{place}", status, 10, None if status == "PENDING" else 5)
    assert shown.figures == {"open": 1, "completed": 2, "failed": 2, "success": 50.0}
    assert shown.section.summary == "2 completed, 1 failed, 1 partial"


def test_a_lost_login_is_said_and_no_token_is() -> None:
    shown = Shown("stockx_ops")
    shown.insert("stockx_accounts", user_id="ben", status="EXPIRED", refresh_token="swordfish", access_token="marlin")
    shown.insert("stockx_accounts", user_id="anna")
    assert shown.section.summary == "1 login lost: ben"
    assert shown.section.notices == []
    job(shown, "shoe-1", "PENDING", 2)
    (notice,) = shown.section.notices
    assert (notice.text, notice.level) == ("the login of ben is expired, 1 job of it open", "warn")
    assert notice.remedy == "pollctl stockx-ops account connect ben --refresh-token-env NAME"
    assert shown.rows("Accounts", "user_id", "login") == [("anna", "active"), ("ben", "expired")]
    assert not [word for word in ("swordfish", "marlin") if word in repr(shown.section)]


def test_a_login_that_a_person_revoked_is_not_lost() -> None:
    shown = Shown("stockx_ops")
    shown.insert("stockx_accounts", user_id="ben", status="REVOKED")
    job(shown, "shoe-1", "PENDING", 2)
    assert shown.section.summary == ""
    assert shown.section.notices == []
    (login,) = [row["login"] for row in shown.blocks(Table)[0].rows]
    assert (login.word, login.level) == ("revoked", "none")
