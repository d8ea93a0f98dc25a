"""``notify``: whether messages arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from pollctl import console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option, plugin_names
from pollctl.cli.invocation import Invocation
from pollctl.errors import PollctlError, UsageError
from pollctl.plugin_host.address_option import Addresses

if TYPE_CHECKING:
    from pollctl.redaction import Secret

_COLUMNS = (
    Column("address", kind="id"),
    Column("where"),
    Column("number", kind="number"),
    Column("result", wraps=True),
)


class _Tried(NamedTuple):
    """One address, and where it stands, as which of those there."""

    where: str
    address: Secret
    number: int


@click.group()
def notify() -> None:
    """Send test messages."""


@notify.command()
@click.argument("urls", metavar="[URL]...", nargs=-1, type=Addresses())
@click.option("--plugin", help="Those that this plugin tells: its `notify`, else all's.", shell_complete=plugin_names)
@json_option
@click.pass_obj
def test(invocation: Invocation, urls: Sequence[Sequence[Secret]], plugin: str | None, *, as_json: bool) -> int:
    """Send a message to each address in use, or to those named, and say whether the service took it.

    In use are the addresses of [pollctl.notify] and the `notify` of each plugin's section. Exit 1 if one failed.
    """
    if urls and plugin:
        raise click.UsageError("name either addresses or a plugin")
    named = _from("given", [address for several in urls for address in several])
    tried = named or list(_in_use(invocation, plugin))
    if not tried:
        raise UsageError("no address is in use: [pollctl.notify] urls names none; give one, or see `pollctl check`")
    rows = [_row(invocation, one) for one in tried]
    console.print_rows(rows, as_json=as_json, columns=_COLUMNS, moments=invocation.moments, empty="")
    return int(any(row["result"] != "ok" for row in rows))


def _row(invocation: Invocation, tried: _Tried) -> dict[str, str | int]:
    from pollctl.addresses import service

    result = _result(invocation, tried.address.reveal())
    return {"address": service(tried.address.reveal()), "where": tried.where, "number": tried.number, "result": result}


def _result(invocation: Invocation, url: str) -> str:
    """``ok``, or why not."""
    import os

    from pollctl import clock
    from pollctl.console.spoken import spoken_moment
    from pollctl.delivery.channel import send
    from pollctl.delivery.messages import Message
    from pollctl.errors import DeliveryError
    from pollctl.redaction import one_line

    core = invocation.config.core
    body = (
        f"Messages of pollctl on {os.uname().nodename} arrive here.\n"
        f"Sent by `pollctl notify test` at {spoken_moment(clock.now(), core.timezone)}."
    )
    message = Message(title="pollctl: a test", body=body)
    try:
        send(url, message, key=f"test:{os.urandom(8).hex()}", timeout=core.http.timeout.total_seconds(), http=core.http)
    except DeliveryError as error:
        return one_line(str(error))
    return "ok"


def _in_use(invocation: Invocation, plugin: str | None) -> Iterator[_Tried]:
    """The addresses of all and of plugins' sections, each once; those of all count for a plugin without any of its own."""
    common = _from("[pollctl.notify]", invocation.config.core.notify.urls)
    if plugin is not None:
        yield from list(_of_plugin(invocation, plugin)) or common
        return
    seen = set()
    for tried in (*common, *_of_plugins(invocation)):
        if tried.address not in seen:
            seen.add(tried.address)
            yield tried


def _of_plugins(invocation: Invocation) -> Iterator[_Tried]:
    """Those of all enabled plugins; one whose section is wrong keeps no message from the others."""
    for name in invocation.config.enabled:
        try:
            yield from _of_plugin(invocation, name)
        except PollctlError as error:
            console.warn(f"{name}: {error}")


def _of_plugin(invocation: Invocation, name: str) -> Iterator[_Tried]:
    from pollctl.inspection.addresses import addresses_of
    from pollctl.plugin_host.configured import configure

    configured = configure(invocation.config, invocation.find(name), check_schedule=False)
    yield from _from(f"[plugins.{configured.name}]", list(addresses_of(configured.settings)))


def _from(where: str, addresses: Sequence[Secret]) -> list[_Tried]:
    """Addresses of one place, numbered, as of each only its service is shown."""
    return [_Tried(where, address, number) for number, address in enumerate(addresses, start=1)]
