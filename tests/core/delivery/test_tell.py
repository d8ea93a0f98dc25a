"""``run.tell``: messages to people, which the core delivers for every plugin (people.md 1 to 3)."""

from __future__ import annotations

from base64 import b64decode

import pytest
from core.parrot import Parrot
from inbox import Inbox
from sample_plugin import parrot_source

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of Apprise, which imports it
APPLY = """(db, decisions, run):
    for learn in decisions:
        db.table("parrot_words").insert({"word": learn.word})
        run.count(told=run.tell(learn.word, f"Heard {learn.word}", "It is <new>.\\n\\nReally & truly.", TO))"""
SETTLE = """(db, effect, result):
    open("settled.txt", "a").write(f"{effect.key.split(':')[0]} {effect.kind} {result}\\n")"""
PLAN = "plan = ['one']"


def telling(to: str = "", *, apply: str = APPLY, settle: str = SETTLE, **hooks: str) -> str:
    """A parrot that tells people of every new word."""
    words = apply.replace(", TO", f", {to}" if to else "")
    return parrot_source(apply=words, settle=settle, **hooks)


def settled(parrot: Parrot) -> list[str]:
    path = parrot.folder / "settled.txt"
    return path.read_text().splitlines() if path.exists() else []


def notify(*urls: str, more: str = "") -> str:
    return f"[pollctl.notify]\nurls = {list(urls)}\n{more}"


def test_each_recipient_of_the_settings_gets_one_message_in_a_lane_of_its_own(parrot: Parrot) -> None:
    with Inbox() as inbox:
        parrot.teach(telling(), PLAN, notify(f"{inbox.json_url}/a", f"{inbox.json_url}/b"))
        report = parrot.report()
        assert report["stats"] == {"told": 2}
        assert parrot.report()["effects"]["queued"] == 0
    assert [message["message"] for message in inbox.messages] == ["It is <new>.\n\nReally & truly."] * 2
    assert inbox.titles == ["Heard one"] * 2
    rows = parrot.rows("SELECT kind, key, lane, status, result FROM outbox ORDER BY id")
    assert {(kind, status, result) for kind, _, _, status, result in rows} == {("tell", "delivered", '"sent"')}
    assert len({lane for _, _, lane, _, _ in rows}) == 2
    assert all(key.startswith("one:") for _, key, _, _, _ in rows)
    assert settled(parrot) == ["one tell sent"] * 2


def test_an_address_stands_nowhere_but_beside_an_effect_that_may_still_be_sent(parrot: Parrot) -> None:
    with Inbox() as inbox:
        secret = f"{inbox.json_url}/very-hidden-503"
        parrot.teach(telling(f"to=Secret('{secret}')"), PLAN, "[pollctl.outbox]\nbackoff = '0s'")
        parrot.report(code=3)
        assert parrot.rows("SELECT url FROM outbox_addresses") == [secret]
        everything = parrot.rows("SELECT key || lane || payload || last_error FROM outbox")
        shown = parrot.do("outbox", "show", "1") + parrot.do("outbox", "list", "--json")
        assert "very-hidden" not in f"{everything} {shown}"
        parrot.sql("UPDATE outbox_addresses SET url = replace(url, '-503', '')")
        parrot.report()
    assert inbox.titles == ["Heard one"]
    assert parrot.rows("SELECT count(*) FROM outbox_addresses") == [0]


def test_no_hook_may_read_the_addresses(parrot: Parrot) -> None:
    parrot.teach(parrot_source(load="(db):\n    db.execute('SELECT url FROM outbox_addresses')\n"), PLAN)
    assert "SELECT from outbox_addresses" in parrot.report(code=1)["error"]["message"]


def test_with_nobody_to_tell_the_message_is_settled_at_once_and_counted(parrot: Parrot) -> None:
    parrot.teach(telling(), PLAN)
    report = parrot.report()
    assert (report["stats"], report["effects"]) == ({"told": 0}, {"queued": 1, "delivered": 1, "failed": 0})
    assert parrot.rows("SELECT key, status, result FROM outbox") == [("one", "delivered", '"no address"')]
    assert settled(parrot) == ["one tell no address"]


def test_several_addresses_in_one_secret_are_recipients_of_their_own(parrot: Parrot) -> None:
    with Inbox() as inbox:
        parrot.teach(telling(f"to=[Secret('{inbox.json_url}/A-ok, {inbox.json_url}/B-401')]"), PLAN)
        assert parrot.report(code=3)["effects"] == {"queued": 2, "delivered": 1, "failed": 1}
        parrot.report(now="2126-01-01T00:00:00Z", code=3)
        assert len(inbox.messages) == 1
    assert sorted(parrot.rows("SELECT status FROM outbox")) == ["delivered", "pending"]


def test_the_plugin_may_drop_a_message_just_before_it_is_sent(parrot: Parrot) -> None:
    drop = "(db, effect, run):\n    from pollctl import Drop\n    return Drop(why='nobody cares now')"
    with Inbox() as inbox:
        parrot.teach(telling(tell=drop), PLAN, notify(inbox.json_url))
        parrot.report()
    assert inbox.messages == []
    assert settled(parrot) == ["one tell dropped: nobody cares now"]


NOT_NOW = """(db, effect, run):
    from datetime import datetime, timezone
    from pollctl import NotNow
    if effect.key.startswith("one") and run.now.hour < 8:
        return NotNow(until=datetime(2026, 1, 1, 8, tzinfo=timezone.utc), why="it is night")"""


def test_the_plugin_may_have_a_message_rest_which_uses_up_no_attempt_and_holds_up_nobody(parrot: Parrot) -> None:
    with Inbox() as inbox:
        parrot.teach(telling(tell=NOT_NOW), "plan = ['one', 'two']", notify(inbox.json_url))
        report = parrot.report(now="2026-01-01T03:00:00Z")
        assert (report["outcome"], report["effects"]["failed"]) == ("ok", 0)
        assert inbox.titles == ["Heard two"]
        query = "SELECT status, attempts, next_attempt_at FROM outbox WHERE key LIKE 'one%'"
        assert parrot.rows(query) == [("pending", 0, "2026-01-01T08:00:00.000Z")]
        parrot.report(now="2026-01-01T07:59:00Z")
        assert len(inbox.messages) == 1
        parrot.report(now="2026-01-01T08:00:00Z")
        assert inbox.titles == ["Heard two", "Heard one"]


@pytest.mark.parametrize("by_hand", [False, True], ids=["after its last attempt", "dropped by a person"])
def test_the_plugin_hears_once_of_a_message_that_was_given_up(parrot: Parrot, by_hand: bool) -> None:
    with Inbox() as inbox:
        attempts = 9 if by_hand else 1
        core = f"[pollctl.outbox]\nmax_attempts = {attempts}"
        parrot.teach(telling(f"to=Secret('{inbox.json_url}/x-500')"), PLAN, core)
        parrot.report(code=3)
        if by_hand:
            assert settled(parrot) == []
            parrot.do("outbox", "drop", "1")
        parrot.report()
        parrot.report()
        assert settled(parrot) == ["one tell None"]
        assert parrot.rows("SELECT count(*) FROM outbox_addresses") == [0 if by_hand else 1]
        parrot.do("outbox", "retry", "1")
        inbox.is_mended = True
        if not by_hand:
            parrot.report()
            assert settled(parrot) == ["one tell None", "one tell sent"]


def test_a_plugin_cannot_call_its_own_effects_tell(parrot: Parrot) -> None:
    parrot.teach(parrot_source().replace('{"say": "keyed"', '{"tell": "keyed"'))
    assert "the core delivers them" in parrot.call("run", "parrot").stderr


def test_a_level_becomes_the_type_of_the_notification(parrot: Parrot) -> None:
    with Inbox() as inbox:
        parrot.teach(telling("level='failure'"), PLAN, notify(inbox.json_url))
        parrot.report()
    assert inbox.messages[0]["type"] == "failure"


def test_a_file_goes_along_wherever_the_pass_found_it(parrot: Parrot) -> None:
    (parrot.folder / "day.csv").write_text("09:03")
    with Inbox() as inbox:
        parrot.teach(telling("attach=['day.csv']"), PLAN, notify(inbox.json_url))
        parrot.report()
    (file,) = inbox.messages[0]["attachments"]
    assert (file["filename"], b64decode(file["base64"])) == ("day.csv", b"09:03")


PAGE = "Attachment('page.html', b'<p>799 \\xff</p>')"
FROM_MEMORY = APPLY.replace("\n    for learn", "\n    from pollctl import Attachment\n    for learn")


def test_bytes_go_along_and_are_kept_beside_the_effect_until_they_have_arrived(parrot: Parrot) -> None:
    with Inbox() as inbox:
        address = f"Secret('{inbox.json_url}/ann-503')"
        parrot.teach(
            telling(f"to={address}, attach=[{PAGE}]", apply=FROM_MEMORY), PLAN, "[pollctl.outbox]\nbackoff = '0s'"
        )
        parrot.report(code=3)
        assert parrot.rows("SELECT name, hex(content) FROM outbox_attachments") == [
            ("page.html", b"<p>799 \xff</p>".hex().upper())
        ]
        assert "page.html, 12 bytes" in parrot.do("outbox", "show", "1")
        assert "content" not in parrot.do("outbox", "show", "1", "--json")
        parrot.sql("UPDATE outbox_addresses SET url = replace(url, '-503', '')")
        parrot.report()
    (file,) = inbox.messages[0]["attachments"]
    assert (file["filename"], b64decode(file["base64"])) == ("page.html", b"<p>799 \xff</p>")
    assert parrot.rows("SELECT count(*) FROM outbox_attachments") == [0]


def test_bytes_of_a_message_that_was_dropped_are_kept_no_longer(parrot: Parrot) -> None:
    with Inbox() as inbox:
        address = f"Secret('{inbox.json_url}/ann-503')"
        parrot.teach(telling(f"to={address}, attach=[{PAGE}]", apply=FROM_MEMORY), PLAN)
        parrot.report(code=3)
    parrot.do("outbox", "drop", "1")
    assert parrot.rows("SELECT count(*) FROM outbox_attachments") == [0]


def test_a_message_that_was_dropped_and_put_back_does_not_go_out_without_its_files(parrot: Parrot) -> None:
    with Inbox() as inbox:
        rests = f"attach=[{PAGE}], not_before=run.now.replace(hour=9)"
        parrot.teach(telling(rests, apply=FROM_MEMORY), PLAN, notify(inbox.json_url))
        parrot.report(now="2026-01-01T08:00:00Z")
        parrot.do("outbox", "drop", "1", now="2026-01-01T08:10:00Z")
        parrot.do("outbox", "retry", "1", now="2026-01-01T08:20:00Z")
        parrot.report(code=3, now="2026-01-01T10:00:00Z")
    assert inbox.messages == []
    ((status, error),) = parrot.rows("SELECT status, last_error FROM outbox")
    assert (status, error) == ("dead", "what goes along with it is not kept any more")


def test_files_of_a_message_with_a_known_key_do_not_go_along_with_the_one_that_stands(parrot: Parrot) -> None:
    with Inbox() as inbox:
        apply = FROM_MEMORY.replace("run.tell(learn.word,", "run.tell('word',")
        only_the_second = f"attach=[{PAGE}] if learn.word == 'two' else []"
        parrot.teach(telling(only_the_second, apply=apply), "plan = ['one', 'two']", notify(inbox.json_url))
        parrot.report()
    assert [(message["title"], message["attachments"]) for message in inbox.messages] == [("Heard one", [])]


@pytest.mark.parametrize(
    ("attachment", "said"),
    [
        ("Attachment('../page.html', b'')", "'../page.html' is not the name of a file"),
        ("Attachment('page.html', bytes(10_000_001))", "10 MB"),
    ],
    ids=["a path", "too much"],
)
def test_an_attachment_that_cannot_go_along_is_refused_where_it_is_told(
    parrot: Parrot, attachment: str, said: str
) -> None:
    parrot.teach(telling(f"attach=[{attachment}]", apply=FROM_MEMORY), PLAN, notify("json://127.0.0.1:9/x"))
    assert said in parrot.report(code=1)["error"]["message"]


def test_no_hook_may_read_what_goes_along(parrot: Parrot) -> None:
    parrot.teach(parrot_source(load="(db):\n    db.execute('SELECT content FROM outbox_attachments')\n"), PLAN)
    assert "SELECT from outbox_attachments" in parrot.report(code=1)["error"]["message"]


def test_a_message_that_rests_until_a_moment_is_sent_then(parrot: Parrot) -> None:
    with Inbox() as inbox:
        parrot.teach(telling("not_before=run.now.replace(hour=9)"), PLAN, notify(inbox.json_url))
        parrot.report(now="2026-01-01T08:00:00Z")
        assert inbox.messages == []
        parrot.report(now="2026-01-01T09:00:00Z")
        assert len(inbox.messages) == 1


def test_a_value_that_no_message_has_fails_the_batch(parrot: Parrot) -> None:
    parrot.teach(telling("level='loud'"), PLAN)
    assert "loud" in parrot.report(code=1)["error"]["message"]


def test_an_address_of_the_settings_stays_in_the_settings(parrot: Parrot) -> None:
    with Inbox() as inbox:
        core = "[pollctl.outbox]\nbackoff = '0s'"
        parrot.teach(telling(), PLAN, notify(f"{inbox.json_url}/crew-503", more=core))
        parrot.report(code=3)
        assert parrot.rows("SELECT count(*) FROM outbox_addresses") == [0]
        inbox.is_mended = True
        parrot.report()
        assert inbox.titles == ["Heard one"]
        parrot.configure("plan = ['two']", notify(f"{inbox.json_url}/other-503", more=core))
        inbox.is_mended = False
        parrot.report(code=3)
        parrot.configure("plan = ['two']", core)
        parrot.report(code=3)
    assert parrot.rows("SELECT status FROM outbox WHERE key LIKE 'two%'") == ["dead"]
