"""What `due --run` prints is printed once, again after a day, and the switch hears how it stands (people.md 6, 10 and 11)."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from core.supervision.supervised import Supervised
from inbox import Inbox
from other_users import NOBODY, as_root, run_as_nobody
from place import Place
from sample_plugin import plain

from pollctl.store.lock import lock_path
from pollctl.supervision.results import PassResult

pytestmark = pytest.mark.slow

OK = "yield Batch(1)"
ROTATING = """targets = [f"{term} {campus}" for term in ("spring", "fall") for campus in ("NB", "NK", "CM")]
for number in range(6):
    run.failed(targets[(number + run.now.minute) % 6], "no answer")
return
yield"""


def at(day: int, minute: int) -> str:
    return f"2026-03-{day:02d}T12:{minute:02d}:00Z"


def due(place: Place, now: str) -> str:
    """What cron would mail."""
    return place.call("due", "--run", now=now).stderr


@pytest.fixture
def place(tmp_path: Path) -> Supervised:
    return Supervised(tmp_path)


def test_the_same_targets_that_fail_in_another_order_are_the_same_trouble(place: Supervised) -> None:
    place.fetching("alpha", ROTATING)
    place.settings("[plugins.alpha]", 'backoff = "0s"')
    mails = [due(place, at(8, minute)) for minute in range(5)]
    assert [bool(mail) for mail in mails] == [True, False, False, False, False]
    assert mails[0].startswith("alpha: failed: fall CM: no answer; fall NB: no answer; ")
    assert mails[0].endswith("; and 1 more\n")
    shown = place.do("show", "latest", "--json", now=at(8, 5))
    assert shown.count('"spring NK"') == 1


def test_the_same_trouble_is_the_same_outcome_kind_and_set_of_targets() -> None:
    def key(*, outcome: str = "partial", kind: str = "Unreached", targets: tuple[str, ...] = ("NB", "NK")) -> str:
        message = f"{outcome}: {'; '.join(targets)}: no answer"
        return PassResult(plugin="alpha", outcome=outcome, exit_code=3, message=message, kind=kind, targets=targets).key

    assert key() == key(targets=("NK", "NB"))
    assert len({key(), key(outcome="failed"), key(kind="Deadline"), key(targets=("NB",))}) == 4


def test_what_lasts_is_printed_again_after_a_day(place: Supervised) -> None:
    place.fetching("alpha", ROTATING)
    place.settings("[plugins.alpha]", 'backoff = "0s"')
    mails = [due(place, now) for now in (at(8, 0), at(8, 1), at(9, 0), at(9, 1))]
    assert [bool(mail) for mail in mails] == [True, False, True, False]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('timezone = "Mars"', "Mars"),
        ("[pollctl.notify]\nurls = [{ env = 'NOT_SET_HERE' }]", "NOT_SET_HERE"),
        ("[pollctl.notify", "pollctl.toml"),
    ],
    ids=["a wrong value", "an unset variable", "no TOML"],
)
def test_settings_that_are_wrong_are_told_once_a_day(place: Place, settings: str, says: str) -> None:
    place.settings(settings)
    mails = [due(place, now) for now in (at(8, 0), at(8, 1), at(8, 2), at(9, 0), at(9, 1))]
    assert [bool(mail) for mail in mails] == [True, False, False, True, False]
    assert says in mails[0]
    assert place.call("due", "--run", now=at(8, 3)).returncode == 2


def test_a_database_that_cannot_be_read_is_told_once_a_day_and_again_after_it_was_mended(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings("[plugins.alpha]")
    place.database.write_text("this is not a database, whatever it is called")
    assert [bool(due(place, now)) for now in (at(8, 0), at(8, 1), at(9, 0))] == [True, False, True]
    place.database.unlink()
    assert due(place, at(9, 1)).endswith("it was created\n")
    place.database.write_text("this is not a database, whatever it is called")
    assert due(place, at(9, 2))


def test_a_full_disk_is_told_once_a_day(place: Supervised) -> None:
    """Nothing can be noted in the database then, nor by the pass; the stamp of a few bytes finds room."""
    place.fetching("alpha", OK)
    place.settings("[plugins.alpha]", 'backoff = "0s"')
    place.env["PYTHONDONTWRITEBYTECODE"] = "1"  # half a file of it would be read by every other test

    def mail(now: str) -> str:
        done = place.spawn("due", "--run", now=now, preexec_fn=no_room)
        return str(done.stdout + done.stderr)

    mails = [mail(now) for now in (at(8, 0), at(8, 1), at(8, 2), at(9, 0))]
    assert [bool(one) for one in mails] == [True, False, False, True], mails
    assert "room" in mails[0] or "full" in mails[0] or "limit" in mails[0]
    assert place.spawn("due", "--run", now=at(9, 1)).stderr == ""
    assert mail(at(9, 2)), "it was well again in between"


def no_room() -> None:
    """Let no file of a new process grow beyond a page: the database has more than that."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@as_root
def test_a_lock_of_another_user_is_told_once_a_day(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings("[plugins.alpha]")
    for path in (place.folder, *place.folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    lock = lock_path(place.database, "alpha")
    lock.touch(mode=0o600)
    path_of_all = {name: value for name, value in place.env.items() if name != "HOME"} | {"HOME": str(place.folder)}
    mails = [
        run_as_nobody(
            place.folder, path_of_all | {"POLLCTL_NOW": now}, "--config", "pollctl.toml", "due", "--run"
        ).stderr
        for now in (at(8, 0), at(8, 1), at(8, 2), at(9, 0))
    ]
    assert [bool(one) for one in mails] == [True, False, False, True], mails
    assert str(lock) in mails[0]
    assert "root" in mails[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is beyond root's writing")
def test_without_a_state_folder_the_stamp_lies_beside_the_settings(place: Place) -> None:
    place.settings('timezone = "Mars"')
    state = place.folder / "state"
    state.mkdir(mode=0o500)
    place.env["XDG_STATE_HOME"] = str(state)
    assert [bool(due(place, at(8, minute))) for minute in range(2)] == [True, False]
    assert (place.folder / ".pollctl.toml.printed").exists()


TELLING = {
    "apply": '(db, decisions, run):\n    run.tell(f"at {run.now}", "Seen", "It was seen.")',
    "settle": "(db, effect, result):\n    pass",
}


def test_a_channel_that_is_dead_is_one_line_until_it_works_again(place: Place) -> None:
    with Inbox() as inbox:
        place.plugin("plain", plain(**TELLING))
        core = "[pollctl.outbox]\nmax_attempts = 1\n[pollctl.notify]\nurls = "
        place.settings(core + f'["{inbox.json_url}/gone-404"]', "[plugins.plain]")
        mails = [due(place, at(8, minute)) for minute in range(3)]
        assert [mail.count("given up") for mail in mails] == [1, 0, 0]
        assert "plain: 1 message given up: json://…: Failed to send JSON POST" in mails[0]
        assert due(place, at(9, 0)).count("given up") == 1


def pings(inbox: Inbox) -> list[str]:
    return [request.address for request in inbox.requests]


class Switch(Inbox):
    """A dead man's switch: it takes whatever it is sent."""

    def respond(self, request):  # type: ignore[no-untyped-def]
        from pollctl.fakes import ServerResponse

        self.requests.append(request)
        return ServerResponse(200)


def test_the_switch_hears_of_failure_until_all_is_well_whichever_plugins_are_due(place: Supervised) -> None:
    place.fetching("alpha", "if run.now.minute < 6:\n    raise OSError('no line')\nyield Batch(1)")
    place.fetching("beta", OK)
    with Switch() as switch:
        place.settings(
            "[pollctl.healthcheck]",
            f'url = "{switch.url}/ping"',
            '[plugins.alpha]\nschedule = "*/3 * * * *"\nbackoff = "0s"',
            "[plugins.beta]",
        )
        for minute in range(9):
            due(place, at(8, minute))
        assert pings(switch) == ["/ping/fail"] * 6 + ["/ping"] * 3
        assert b"alpha: failed: " in switch.requests[1].body
        assert b"beta: ok" in switch.requests[1].body


def test_a_dead_message_to_an_address_of_all_turns_the_switch_and_one_to_somebody_else_does_not(place: Place) -> None:
    with Switch() as switch, Inbox() as inbox:
        gone = f"{inbox.json_url}/gone-404"
        health = f'[pollctl.healthcheck]\nurl = "{switch.url}/ping"\n[pollctl.outbox]\nmax_attempts = 1'
        somebody = "to=Secret(run.settings.word) if '://' in run.settings.word else None"
        telling = TELLING["apply"].replace('seen.")', f'seen.", {somebody})')
        place.plugin("plain", plain(apply=telling, settle=TELLING["settle"]))
        place.settings(health, f'[pollctl.notify]\nurls = ["{gone}"]', "[plugins.plain]")
        due(place, at(8, 0))
        place.sql("DELETE FROM outbox")
        place.settings(health, f'[plugins.plain]\nword = "{gone}"')
        due(place, at(8, 1))
        assert pings(switch) == ["/ping/fail", "/ping"]
        assert b"plain: 1 message given up" in switch.requests[1].body


@pytest.mark.parametrize(
    ("tireless", "heard"), [('tireless=["say"]', "/ping/fail"), ("", "/ping")], ids=["tireless", "other"]
)
def test_a_dead_effect_of_a_tireless_kind_turns_the_switch_and_one_of_another_does_not(
    place: Supervised, tireless: str, heard: str
) -> None:
    says = plain(
        facts=f'effects={{"say": "keyed"}}, {tireless}',
        apply='(db, decisions, run):\n    run.effect("say", "hello", {})',
        deliver='(effect):\n    raise DeliveryError("nobody lives there", permanent=True)',
    )
    place.plugin("alpha", says)
    with Switch() as switch:
        place.settings("[pollctl.healthcheck]", f'url = "{switch.url}/ping"', "[plugins.alpha]")
        due(place, at(8, 0))
    assert pings(switch) == [heard]
    assert b"nobody lives there" in switch.requests[0].body


def test_a_plugin_that_cannot_be_loaded_turns_the_switch_also_while_it_rests(place: Supervised) -> None:
    place.plugin("alpha", "raise ImportError('no module named yesterday')")
    place.fetching("beta", OK)
    with Switch() as switch:
        place.settings("[pollctl.healthcheck]", f'url = "{switch.url}/ping"', "[plugins.alpha]\n[plugins.beta]")
        mails = [due(place, at(8, minute)) for minute in range(2)]
    assert pings(switch) == ["/ping/fail", "/ping/fail"]
    assert b"alpha: failed: " in switch.requests[1].body
    assert [mail.count("no module named yesterday") for mail in mails] == [1, 0]


def test_a_plugin_whose_settings_are_wrong_turns_the_switch_also_while_no_pass_of_it_is_due(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.fetching("beta", OK)
    rests = '[plugins.alpha]\nschedule = "*/5 * * * *"\ncatch_up = "skip"\nmax_lateness = "30s"'
    with Switch() as switch:
        health = f'[pollctl.healthcheck]\nurl = "{switch.url}/ping"'
        place.settings(health, rests, "[plugins.beta]")
        due(place, at(8, 0))
        place.settings(health, f"{rests}\nwrod = 'x'", "[plugins.beta]")
        due(place, at(8, 5))
        due(place, at(8, 6))
    assert pings(switch) == ["/ping", "/ping/fail", "/ping/fail"]
    assert b"plugins.alpha.wrod: unknown key" in switch.requests[2].body


def test_the_switch_hears_of_the_start_where_it_wants_to(place: Supervised) -> None:
    place.fetching("alpha", OK)
    with Switch() as switch:
        place.settings("[pollctl.healthcheck]", f'url = "{switch.url}/ping"\nstart = true', "[plugins.alpha]")
        due(place, at(8, 0))
        assert pings(switch) == ["/ping/start", "/ping"]
        assert {request.method for request in switch.requests} == {"POST"}


def test_a_switch_may_want_a_get_and_its_own_words(place: Supervised) -> None:
    place.fetching("alpha", "if run.now.minute:\n    raise OSError('no line')\nyield Batch(1)")
    with Switch() as switch:
        for path in ("/ping", "/api/push/key?status=up&msg=OK&ping="):
            url = f'url = "{switch.url}{path}"\nmethod = "GET"\nstart = true'
            place.settings("[pollctl.healthcheck]", url, '[plugins.alpha]\nbackoff = "0s"')
            due(place, at(8, 0 if path == "/ping" else 1))
        assert pings(switch)[:2] == ["/ping/start", "/ping"]
        (kuma,) = switch.requests[2:]
        assert (kuma.method, kuma.path, kuma.query["status"]) == ("GET", "/api/push/key", "down")
        assert kuma.query["msg"].startswith("alpha: failed: ")


def test_a_plugin_may_have_a_switch_of_its_own(place: Supervised) -> None:
    place.fetching("alpha", "raise OSError('no line')\nyield")
    place.fetching("beta", OK)
    with Switch() as switch:
        place.settings(
            f'[plugins.alpha]\nhealthcheck = "{switch.url}/alpha"', f'[plugins.beta]\nhealthcheck = "{switch.url}/beta"'
        )
        due(place, at(8, 0))
        assert sorted(pings(switch)) == ["/alpha/fail", "/beta"]
