"""Lists of feeds: read from OPML, and written as OPML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from pollctl import PluginContext, UsageError, shorten, text_of
from pollctl_feeds.model import Feed

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl_feeds import Feeds

INCOMPLETE = 3


def add_commands(plugin: Feeds, group: click.Group) -> None:
    """Add them to the plugin's group."""

    @group.command("import")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.pass_obj
    def import_(context: PluginContext, file: Path) -> None:
        """Add the feeds of a list in OPML, as readers of feeds write it.

        What cannot be taken over is said line by line, and exits with 3; feeds that are there already are left as they are.
        """
        feeds = outlines(text_of(file, "a list of feeds in OPML"))
        with context.writing() as db:
            lines, is_whole = _take_over(plugin, db, context, feeds)
        click.echo("\n".join(lines) or "nothing was added: all its feeds are there")
        click.get_current_context().exit(0 if is_whole else INCOMPLETE)

    @group.command()
    @click.argument("file", type=click.Path(path_type=Path), required=False)
    @click.option("--force", is_flag=True, help="Replace FILE if it is there.")
    @click.pass_obj
    def export(context: PluginContext, file: Path | None, *, force: bool) -> None:
        """Write all feeds as OPML to FILE, or to stdout; a login in an address is left out."""
        with context.reading() as db:
            feeds = plugin.targets(db, context.settings)
        with context.exporting(file, may_replace=force) as out:
            out.write(opml(feeds))


def outlines(text: str) -> list[tuple[str, str]]:
    """Name and address of each feed in a list in OPML, whatever groups they are in.

    Raises:
        UsageError: it is not OPML.
    """
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"it is not XML: {error}") from error
    if root.tag != "opml":
        raise UsageError(f"it is not OPML: it begins with <{root.tag}>")
    feeds = [one for one in root.iter("outline") if one.get("xmlUrl")]
    return [(one.get("title") or one.get("text") or one.get("xmlUrl"), one.get("xmlUrl")) for one in feeds]


def _take_over(
    plugin: Feeds, db: Database, context: PluginContext, feeds: list[tuple[str, str]]
) -> tuple[list[str], bool]:
    """Add feeds that are not there yet; answers what became of them, and whether none was refused."""
    known = plugin.targets(db, context.settings)
    titles, urls = {one.title for one in known}, {one.url for one in known}
    added, refused = [], []
    for name, url in feeds:
        try:
            feed = _feed(plugin, name, url, titles)
            plugin.check(feed)
        except ValueError as error:
            refused.append(f"not taken over: {shorten(name, 80)}: {error}")
            continue
        if feed.url not in urls:
            plugin.add(db, feed, context.now)
            added.append(f"added {feed.title}")
            titles.add(feed.title)
            urls.add(feed.url)
    return [*added, *refused], not refused


def _feed(plugin: Feeds, name: str, url: str, titles: set[str]) -> Feed:
    """A feed by a name that no other has."""
    feed = plugin.typed({"url": url.strip(), "name": " ".join(name.split())})
    return replace(feed, name=f"{feed.name} ({feed.host})") if feed.title in titles else feed


def opml(feeds: list[Feed]) -> str:
    """A list of feeds in OPML 2.0."""
    from lxml import etree

    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Feeds of pollctl"
    body = etree.SubElement(root, "body")
    for one in feeds:
        etree.SubElement(body, "outline", type="rss", text=one.title, title=one.title, xmlUrl=one.address)
    text: str = etree.tostring(
        root, pretty_print=True, encoding="unicode", doctype='<?xml version="1.0" encoding="UTF-8"?>'
    )
    return text
