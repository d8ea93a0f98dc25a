"""``web``: the database in a browser, without what is private."""

from __future__ import annotations

from pathlib import Path

import click

from pollctl import console
from pollctl.cli.invocation import Invocation
from pollctl.errors import PollctlError


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Of 127.0.0.1; 0: a free one."
)
@click.option("--uds", metavar="PATH", type=click.Path(path_type=Path), help="Listen on a Unix socket instead.")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser of this machine.")
@click.pass_context
def web(ctx: click.Context, port: int, uds: Path | None, *, is_opened: bool) -> None:
    """Show the database in a browser, with queries of all plugins, until Ctrl-C.

    It needs the extra pollctl[web]. The address that is printed lets one browser in, once. Tokens, addresses of people and
    payloads read NULL in whatever is asked; nothing can be written, and passes go on undisturbed.
    """
    invocation: Invocation = ctx.obj
    if uds and (is_opened or ctx.get_parameter_source("port") is click.core.ParameterSource.COMMANDLINE):
        raise click.UsageError("--uds goes without --port and --open: no browser asks a Unix socket")
    _require_extra()
    from pollctl.web import browser, server
    from pollctl.web.contents import contents_of
    from pollctl.web.site import Site

    contents = contents_of(invocation.config_to_look.core.database, invocation.found)
    listening = server.listening_on_path(uds) if uds else server.listening_on_port(port)
    with listening as listener, browser.addresses() as opened:

        def announce(login: str) -> None:
            origin = "http://localhost" if uds else f"http://{server.LOOPBACK}:{listener.getsockname()[1]}"
            console.print_text(f"{origin}{login}")
            where = f" on {uds}" if uds else ""
            console.log(f"pollctl: serving{where} until Ctrl-C; the address above lets in once")
            if uds:
                console.log("pollctl: through a tunnel, put its port after localhost, as in localhost:8001")
            if is_opened:
                opened(f"{origin}{login}")

        site = Site(contents)
        try:
            server.serve(site, listener, announce)
        finally:
            site.close()


def _require_extra() -> None:
    try:
        import datasette  # noqa: F401
    except ImportError as error:
        raise PollctlError("web needs Datasette: pip install 'pollctl[web]'") from error
