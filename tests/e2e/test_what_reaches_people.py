"""Three stories of what `due --run` says, minute by minute: to the dead man's switch, and to whoever reads cron's mail (people.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from inbox import Inbox
from place import Place
from sample_plugin import plain

from pollctl.fakes import ServerRequest, ServerResponse
from pollctl_soc_sections.fake import FakeSoc

DEAD = "http://127.0.0.1:1"
NOON = 12 * 60


def minute(number: int) -> str:
    return f"2026-09-14T{(NOON + number) // 60}:{(NOON + number) % 60:02d}:00Z"


def mail_of_cron(place: Place, number: int) -> str:
    """What cron would mail of one minute: all that was printed."""
    done = place.call("due", "--run", now=minute(number))
    return done.stdout + done.stderr


def soc(url: str, campuses: str, *, more: str = "") -> str:
    terms = '["92026", "02027"]' if "," in campuses else '["92026"]'
    return (
        f'[plugins.soc_sections]\nbase_url = "{url}"\nterms = {terms}\ncampuses = [{campuses}]\nbackoff = "0s"\n{more}'
    )


class Switch(Inbox):
    """A dead man's switch: it takes whatever it is sent."""

    def respond(self, request: ServerRequest) -> ServerResponse:
        self.requests.append(request)
        return ServerResponse(200)


@pytest.mark.slow
def test_nine_passes_of_the_switch_fail_until_mended(tmp_path: Path) -> None:
    """soc_sections is dead and polled every third minute, latency is fine each minute: the switch stays red until it is mended."""
    place = Place(tmp_path)
    with FakeSoc({"NB": 3}) as upstream, Switch() as switch:
        health = f'[pollctl.healthcheck]\nurl = "{switch.url}/ping"'
        often = '[plugins.latency]\nschedule = "* * * * *"'
        place.settings(health, soc(DEAD, '"NB"', more='schedule = "*/3 * * * *"'), often)
        for number in range(9):
            if number == 5:
                place.settings(health, soc(upstream.url, '"NB"', more='schedule = "*/3 * * * *"'), often)
            mail_of_cron(place, number)
    assert [request.path for request in switch.requests] == ["/ping/fail"] * 6 + ["/ping"] * 3
    of_minute_1 = switch.requests[1].body.decode()
    assert "latency: ok" in of_minute_1
    assert "soc_sections: failed: " in of_minute_1, "the ping says why, also where that plugin had no pass"


@pytest.mark.slow
def test_five_passes_of_six_dead_targets_are_one_line(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.settings(soc(DEAD, '"NB", "NK", "CM"'))
    mails = [mail_of_cron(place, number) for number in range(5)]
    assert [len(mail.splitlines()) for mail in mails] == [2, 0, 0, 0, 0], mails
    created, line = mails[0].splitlines()
    assert created.endswith("it was created")
    assert line.startswith("soc_sections: failed: ")
    assert place.sql("SELECT count(*) FROM runs WHERE outcome = 'failed'") == [(5,)]
    (error,) = place.sql("SELECT error FROM runs ORDER BY id DESC LIMIT 1")[0]
    assert [
        f"{term} {campus}" in error or f"{campus} {term}" in error
        for term in ("92026", "02027")
        for campus in ("NB", "NK", "CM")
    ] == [True] * 6


def test_settings_that_are_wrong_for_ten_minutes_are_one_mail(tmp_path: Path) -> None:
    """Wrong in [pollctl], in a section, or beyond TOML: each is one mail, and whoever mends it hears of the next one."""
    place = Place(tmp_path)
    place.plugin("plain", plain())
    for number, wrong in enumerate(('timezone = "Mars"', "[plugins.plain]\nwrod = 'x'", "[plugins.plain")):
        place.settings(wrong)
        mails = [mail_of_cron(place, 20 * number + more) for more in range(10)]
        assert [bool(mail) for mail in mails] == [True] + [False] * 9, wrong
        place.settings()
        assert mail_of_cron(place, 20 * number + 10) == ""
