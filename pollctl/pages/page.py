"""The page: one file of HTML with its own style, script and drawings, which asks nobody for anything."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pollctl.api.listing import Standing
from pollctl.api.report import Figure, Section, Text
from pollctl.console import cells, words
from pollctl.console.moments import Moments, read
from pollctl.pages import drawings, timelines
from pollctl.redaction import one_line

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from pollctl.pages.report import Report

BEGINNING = "<!doctype html>\n<!-- written by pollctl report -->\n"
"""What a page begins with, so that the next one knows that it may take its place."""
_FOLDER = Path(__file__).parent
_LOWEST_RANK = 3
_SHAPES: Mapping[Standing, str] = {
    "ok": "<circle cx='8' cy='8' r='7' fill='#2fa884'/>",
    "warn": "<path d='M8 1 15 15H1z' fill='#e69f00'/>",
    "fail": "<rect width='16' height='16' fill='#cc3311'/>",
}
"""The icon of the page: its shape says the same as its colour."""
_LEGEND: tuple[tuple[Standing, str, int], ...] = (
    ("ok", "ok", 12),
    ("warn", "partial", 20),
    ("fail", "failed", 28),
    ("none", "no pass", 2),
)


def page(report: Report, moments: Moments, stale_after: timedelta) -> str:
    """The page of a report.

    Args:
        report: its values, secrets masked.
        moments: how moments are written.
        stale_after: the age at which the page says by itself that it is old; 0 for never.
    """
    from markupsafe import Markup

    style, script = (_FOLDER / "page.css").read_text(), (_FOLDER / "page.js").read_text()
    return (
        _environment(report, moments)
        .get_template("page.html.j2")
        .render(
            beginning=Markup(BEGINNING),  # noqa: S704 - our own words, as the next ones
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=_policy(style, script),
            icon=_icon(report.level),
            report=report,
            legend=_LEGEND,
            stale_s=int(stale_after.total_seconds()),
            zone=_zone(moments),
            length=_length(report.written_at - report.since),
            bar=words.age(report.bar_s),
        )
    )


def _environment(report: Report, moments: Moments) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bar = timedelta(seconds=report.bar_s)
    made.globals.update(
        moments=moments,
        read=read,
        shown=lambda value, kind: cells.shown(value, kind, moments),
        standing=cells.standing,
        figure=lambda one: _figure(one, moments),
        rank=lambda column: min(column.drop, _LOWEST_RANK),
        unique=_unique(),
        iso=datetime.isoformat,
        size=_size,
        strip=lambda heartbeat: drawings.strip(heartbeat, bar, moments),
        plot=lambda series: drawings.plot(series, moments),
        lanes=lambda timeline: timelines.lanes(timeline, moments),
    )
    made.globals["drawn"] = lambda section: _drawn(section, made)
    made.filters["tips"] = lambda tips: list(map(one_line, tips))
    return made


def _drawn(section: Section, environment: Environment) -> Markup:
    """A section of a plugin; where a value in it cannot be drawn after all, why that is."""
    block: Any = environment.get_template("blocks.html.j2").module.block  # type: ignore[attr-defined]
    try:
        return _joined(map(block, section.blocks))
    except Exception as error:  # noqa: BLE001 - a value of one plugin must not take the page of all along
        return _joined([block(Text(f"It cannot be drawn: {type(error).__name__}: {error}"))])


def _joined(drawings: Iterable[Markup]) -> Markup:
    from markupsafe import Markup

    return Markup().join(drawings)


def _printable(value: Any) -> Any:
    """What stands on the page of a text: control characters and those that turn the direction of writing as their codes."""
    return one_line(value) if type(value) is str else value


def _policy(style: str, script: str) -> str:
    """What a browser may do with the page: apply this style and run this script, no other, and ask nobody."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _icon(level: Standing) -> str:
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>{_SHAPES[level]}</svg>"
    return f"data:image/svg+xml,{quote(drawing)}"


def _zone(moments: Moments) -> str:
    return getattr(moments.zone, "key", "") or moments.zone_name if not moments.is_utc else "UTC"


def _figure(figure: Figure, moments: Moments) -> str:
    if isinstance(figure.value, timedelta):
        return words.lasted(figure.value.total_seconds())
    return cells.shown(figure.value, "moment" if isinstance(figure.value, datetime) else "number", moments)


def _length(length: timedelta) -> str:
    return f"{length.days} d" if length.days > 1 else f"{length.total_seconds() / 3600:.0f} h"


def _size(number: int) -> str:
    return f"{number / 2**20:.1f} MB"


def _unique() -> Callable[[str], str]:
    """Names for parts of the page, each of which is given once: a second of the same name gets a number."""
    given: Counter[str] = Counter()

    def name(text: str) -> str:
        given[text] += 1
        return text if given[text] == 1 else f"{text} ({given[text]})"

    return name
