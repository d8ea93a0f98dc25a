"""No secret comes out of a pass: not in errors, recordings, plans, tracebacks, or the outbox."""

from __future__ import annotations

from core.parrot import Parrot
from sample_plugin import parrot_source


def test_secrets_reach_neither_errors_nor_recordings_nor_the_outbox(parrot: Parrot) -> None:
    secret = "canary-7f3a"
    source = parrot_source(
        settings="token: Secret",
        fetch="(run):\n    yield Batch(run.settings.token.reveal())\n    raise OSError(run.settings.token.reveal())\n",
        deliver="(effect, run):\n    run.log(run.settings.token.reveal())\n    raise DeliveryError(run.settings.token.reveal())\n",
        apply="(db, decisions, run):\n    run.effect('say', 'x', {'word': 'x'})\n",
    )
    parrot.teach(source, f'token = "{secret}"\nrecord = "all"')
    done = parrot.call("run", "parrot", "--json")
    assert done.returncode == 1
    assert "***" in done.stdout
    assert secret not in done.stdout + done.stderr
    assert secret.encode() not in (parrot.folder / "pollctl.db").read_bytes()


AWKWARD = 'canary "7f3a"\\line\ntwo'


def test_a_secret_with_quotes_and_lines_reaches_no_recording_either(parrot: Parrot) -> None:
    secret_file = parrot.folder / "token"
    secret_file.write_text(AWKWARD)
    source = parrot_source(
        settings="token: Secret",
        fetch="(run):\n    yield Batch(run.settings.token.reveal())\n",
        apply="(db, decisions, run):\n    run.effect('say', 'x', {'word': 'x'})\n",
        deliver="(effect, run):\n    return {'said': run.settings.token.reveal()}\n",
        settle="():\n    pass\n",
    )
    parrot.teach(source, 'token = { file = "token" }\nrecord = "all"')
    parrot.report()
    kept = parrot.rows("SELECT batch || decisions FROM recordings") + parrot.rows("SELECT result FROM outbox")
    assert "canary" not in "".join(kept)
    assert all("***" in text for text in kept)


def test_a_plan_shows_no_secret_that_came_back_from_the_upstream(parrot: Parrot) -> None:
    source = parrot_source(settings="token: Secret", fetch="(run):\n    yield Batch(run.settings.token.reveal())\n")
    parrot.teach(source, 'token = "canary-7f3a"')
    for options in ((), ("--json",)):
        done = parrot.call("plan", "parrot", *options)
        assert "***" in done.stdout
        assert "canary" not in done.stdout + done.stderr


def test_no_traceback_shows_a_secret(parrot: Parrot) -> None:
    source = (
        parrot_source(
            settings="token: Secret",
            fetch="(run):\n    yield Batch('x')\n    raise OSError(run.settings.token.reveal())\n",
        )
        + """
@hookimpl
def pollctl_commands(group):
    import click
    @group.command()
    @click.pass_obj
    def slip(context):
        raise LookupError(context.settings.token.reveal())

    @group.command()
    @click.pass_obj
    def trip(context):
        try:
            raise LookupError(context.settings.token.reveal())
        except LookupError as error:
            raise DeliveryError("it tripped") from error
"""
    )
    parrot.teach(source, 'token = "canary-7f3a"')
    for words in (("--debug", "parrot", "trip"), ("--debug", "plan", "parrot"), ("parrot", "slip")):
        done = parrot.call(*words)
        assert done.returncode == 1, words
        assert "canary" not in done.stdout + done.stderr, words
        assert "***" in done.stderr
    assert "Traceback" in parrot.call("parrot", "slip").stderr
