"""Jobs of urlwatch (https://urlwatch.readthedocs.io/) and webchanges (https://webchanges.readthedocs.io/)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pollctl_watch.job_files.job import SHOWN, Job, Untranslatable, dropping_lines, path_of

_NEEDLESS = frozenset(
    ["html2text", "strip", "striplines", "strip_each_line", "format-json", "pretty-xml", "reverse_order"]
)
_SILENT = frozenset(
    ["name", "url", "navigate", "use_browser", "kind", "filter", "filters", "enabled", "index_number", "guid", "note"]
)
_REFUSED: Mapping[str, str] = {
    "command": "a watch starts no programs",
    "ssl_no_verify": "certificates are always checked; [pollctl.http] ca_file names further authorities",
    "no_verify": "certificates are always checked; [pollctl.http] ca_file names further authorities",
    "headers": "they may hold secrets: write this watch into the settings",
    "cookies": "they may hold secrets: write this watch into the settings",
    "data": "what is sent belongs in the settings",
    "method": "a watch that is added asks by GET",
    "diff_filter": "a difference is not filtered; use ignore or lines",
    "diff_filters": "a difference is not filtered; use ignore or lines",
    "additions_only": "what was added is not told from what went",
    "deletions_only": "what was added is not told from what went",
}


def jobs_of(documents: Sequence[object]) -> Sequence[Job]:
    """The jobs of a file, in their order."""
    return [_job(number, one) for number, one in enumerate(documents, 1) if one is not None]


def _job(number: int, found: object) -> Job:
    if not isinstance(found, dict):
        return Job(f"job {number}", {}, "it is not a table of keys")
    title = str(
        found.get("name") or found.get("url") or found.get("navigate") or found.get("command") or f"job {number}"
    )
    for key, why in _REFUSED.items():
        if found.get(key):
            return Job(title, {}, f"{key}: {why}")
    url = str(found.get("navigate") or found.get("url") or "")
    if not url:
        return Job(title, {}, "it has no url")
    try:
        keys = _filtered(list(_filters(found.get("filter") or found.get("filters") or [])))
    except Untranslatable as error:
        return Job(title, {}, f"filter: {error}")
    if found.get("enabled") is False:
        keys["enabled"] = False
    left_out = [f"{key}: no such key of a watch" for key in sorted(found.keys() - _SILENT - _REFUSED.keys())]
    if found.get("navigate") or found.get("use_browser"):
        keys["browser"] = True
        left_out.append(SHOWN)
    return Job(title, {"url": url, "name": str(found.get("name") or ""), **keys}, left_out=tuple(left_out))


def _filters(found: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of each filter: of a list of names and tables, or of a text such as ``css:.price,strip``."""
    if isinstance(found, str):
        for one in found.split(","):
            name, _, value = one.partition(":")
            yield name.strip(), value or None
        return
    for one in found:
        if isinstance(one, dict):
            yield from ((str(name), value) for name, value in one.items())
        else:
            yield str(one), None


def _filtered(filters: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for name, value in filters:
        if name in _NEEDLESS:
            continue
        translate = _FILTERS.get(name)
        if translate is None:
            raise Untranslatable(f"{name} has no counterpart")
        for key, found in translate(value).items():
            if key in keys and not isinstance(found, list):
                raise Untranslatable(f"{name} comes after another filter of its kind")
            keys[key] = [*keys.get(key, []), *found] if isinstance(found, list) else found
    return keys


def _text(value: Any, *names: str) -> str:
    """The text of a filter that is written as such, or as a table with one of some names and nothing else."""
    if isinstance(value, dict):
        others = sorted(value.keys() - set(names))
        if others:
            raise Untranslatable(f"{', '.join(map(str, others))} has no counterpart")
        value = next((value[name] for name in names if name in value), None)
    if value is None:
        raise Untranslatable("it says of nothing")
    return str(value)


def _css(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and "exclude" in value:
        kept = {name: one for name, one in value.items() if name != "exclude"}
        return {"select": _text(kept, "selector"), "without": [str(value["exclude"])]}
    return {"select": _text(value, "selector")}


def _substituted(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and value.get("repl"):
        raise Untranslatable("re.sub: text is dropped, not replaced")
    pattern = value.get("pattern") if isinstance(value, dict) else value
    return {"ignore": [_text(pattern)]}


def _plain_or_pattern(value: Any, *, is_kept: bool) -> dict[str, Any]:
    """Filters of lines, which take a text or ``re``."""
    pattern = str(value["re"]) if isinstance(value, dict) and "re" in value else _escaped(_text(value, "text"))
    return {"lines": [pattern]} if is_kept else {"ignore": [dropping_lines(pattern)]}


def _escaped(text: str) -> str:
    import re

    return re.escape(text)


def _sorted(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and value.keys() - {"reverse"}:
        raise Untranslatable("sort: only lines are sorted")
    return {"sort": True}


_FILTERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "css": _css,
    "xpath": lambda value: {"xpath": _text(value, "path")},
    "jmespath": lambda value: {"json": _text(value, "query")},
    "jq": lambda value: {"json": path_of(_text(value, "query"))},
    "element-by-id": lambda value: {"select": f'[id="{_text(value, "id")}"]'},
    "element-by-class": lambda value: {"select": f'[class~="{_text(value, "class")}"]'},
    "element-by-tag": lambda value: {"select": _text(value, "tag")},
    "grep": lambda value: {"lines": [_text(value, "re")]},
    "grepi": lambda value: {"ignore": [dropping_lines(_text(value, "re"))]},
    "keep_lines_containing": lambda value: _plain_or_pattern(value, is_kept=True),
    "delete_lines_containing": lambda value: _plain_or_pattern(value, is_kept=False),
    "re.sub": _substituted,
    "re.findall": lambda value: {"regex": _text(value, "pattern")},
    "sort": _sorted,
    "remove-duplicate-lines": lambda _: {"unique": True},
    "remove_duplicates": lambda _: {"unique": True},
    "remove-duplicates": lambda _: {"unique": True},
    "pdf2text": lambda _: {"kind": "pdf"},
    "sha1sum": lambda _: {"kind": "bytes"},
}
