"""Watches of changedetection.io: ``url-watches.json`` of its backups (https://github.com/dgtlmoon/changedetection.io)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pollctl import UsageError
from pollctl_watch.job_files.job import SHOWN, Job, Untranslatable, dropping_lines, path_of

_REFUSED: Mapping[str, str] = {
    "headers": "they may hold secrets: write this watch into the settings",
    "body": "what is sent belongs in the settings",
    "browser_steps": "a browser shows a page, and does nothing there",
    "text_should_not_be_present": "a text that must not be there has no counterpart; use when = 'missing ...'",
    "conditions": "write them as when = ...",
}
_LEFT_OUT = ("notification_urls", "proxy", "tag", "tags")
_SECONDS: Mapping[str, int] = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_PATTERN = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)


def jobs_of(found: Any) -> Sequence[Job]:
    """The watches of a file.

    Raises:
        UsageError: it has none.
    """
    watching = found.get("watching") if isinstance(found, dict) else None
    if not isinstance(watching, dict):
        raise UsageError("it is JSON, but has no table 'watching' as changedetection.io writes it")
    return [_job(one) for one in watching.values() if isinstance(one, dict)]


def _job(found: Mapping[str, Any]) -> Job:
    title = str(found.get("title") or found.get("url") or "a watch without an address")
    try:
        _refuse(found)
        keys = {**_selected(found.get("include_filters") or []), **_filtered(found), **_waited_for(found)}
    except Untranslatable as error:
        return Job(title, {}, str(error))
    seconds = sum(
        int((found.get("time_between_check") or {}).get(name) or 0) * factor for name, factor in _SECONDS.items()
    )
    keys |= {"every": f"{seconds}s"} if seconds else {}
    keys |= {"enabled": False} if found.get("paused") else {}
    left_out = [f"{key}: it belongs in the settings" for key in _LEFT_OUT if found.get(key)]
    if found.get("fetch_backend") == "html_webdriver":
        keys["browser"] = True
        left_out.append(SHOWN)
    keys = {"url": str(found.get("url") or ""), "name": str(found.get("title") or ""), **keys}
    return Job(title, keys, left_out=tuple(left_out))


def _refuse(found: Mapping[str, Any]) -> None:
    for key, why in _REFUSED.items():
        if found.get(key):
            raise Untranslatable(f"{key}: {why}")
    if found.get("processor", "text_json_diff") != "text_json_diff":
        raise Untranslatable(f"processor: {found['processor']} has no counterpart")
    if str(found.get("method") or "GET").upper() != "GET":
        raise Untranslatable("method: a watch that is added asks by GET")


def _selected(filters: Sequence[str]) -> dict[str, Any]:
    """Selectors as ``css``, ``xpath:...``, ``json:...`` or ``jq:...``; of several only those that are all CSS."""
    kinds = [
        re.fullmatch(r"(xpath1?|json|jq|jqraw):(.*)|(.*)", one.strip(), re.DOTALL) for one in filters if one.strip()
    ]
    found = [(one[1] or "css", one[2] or one[3] or "") for one in kinds if one]
    if not found:
        return {}
    if all(kind == "css" and not text.startswith("/") for kind, text in found):
        return {"select": ", ".join(text for _, text in found)}
    if len(found) > 1:
        raise Untranslatable("include_filters: several that are not all CSS have no counterpart")
    kind, text = found[0]
    return {"json": path_of(text)} if kind.startswith("j") else {"xpath": text}


def _filtered(found: Mapping[str, Any]) -> dict[str, Any]:
    extracted = list(found.get("extract_text") or [])
    if len(extracted) > 1:
        raise Untranslatable("extract_text: several have no counterpart")
    keys: dict[str, Any] = {
        "without": list(found.get("subtractive_selectors") or []),
        "ignore": list(_ignored(found.get("ignore_text") or [])),
        "regex": next((_pattern(one) for one in extracted), ""),
        "sort": bool(found.get("sort_text_alphabetically")),
        "unique": bool(found.get("remove_duplicate_lines")),
    }
    return {key: value for key, value in keys.items() if value}


def _ignored(texts: Sequence[str]) -> Iterator[str]:
    for one in texts:
        is_pattern = _PATTERN.fullmatch(one)
        yield dropping_lines(_pattern(one)) if is_pattern else dropping_lines(one, is_plain=True)


def _pattern(text: str) -> str:
    """``/PATTERN/i`` as a pattern, or a plain text."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return re.escape(text)
    return f"(?i:{match[1]})" if "i" in match[2] else match[1]


def _waited_for(found: Mapping[str, Any]) -> dict[str, Any]:
    texts = list(found.get("trigger_text") or [])
    if not texts:
        return {}
    if len(texts) > 1 or _PATTERN.fullmatch(texts[0]) or '"' in texts[0]:
        raise Untranslatable("trigger_text: only one plain text has a counterpart, when = 'contains ...'")
    return {"when": f'contains "{texts[0]}"'}
