"""Jobs of urlwatch, webchanges and changedetection.io."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pollctl import UsageError
from pollctl.testing import Bench
from pollctl_watch.job_files import jobs_of

URLWATCH = r"""
name: "Bicycle"
url: "https://shop.example.net/bicycle"
filter:
  - css: ".price"
  - html2text
  - grep: "€"
  - strip
  - sort
max_tries: 3
---
name: "Offers"
url: https://api.example.net/offers
filter:
  - jq: ".offers[0].price"
---
url: https://old.example.net/
filter: css:body,html2text,strip
---
name: "Uptime"
command: uptime
---
name: "No checks"
url: https://self.example.net/
ssl_no_verify: true
---
name: "Login"
url: https://private.example.net/
headers:
  Authorization: Bearer abc-secret
---
name: "Piped"
url: https://pipe.example.net/
filter:
  - shellpipe: "tr a b"
---
name: "Browser"
navigate: https://app.example.net/
"""


def keys(filters: str) -> dict[str, Any]:
    [job] = jobs_of(f"url: https://a.example.net/\nfilter:\n{filters}")
    assert not job.refused, job.refused
    return {name: value for name, value in job.keys.items() if name not in ("url", "name")}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("  - css: .price", {"select": ".price"}),
        ("  - css: {selector: main, exclude: nav}", {"select": "main", "without": ["nav"]}),
        ("  - xpath: //p", {"xpath": "//p"}),
        ("  - xpath: {path: //p}", {"xpath": "//p"}),
        ("  - jmespath: a.b", {"json": "a.b"}),
        ("  - jq: .a[0].b", {"json": "a[0].b"}),
        ("  - element-by-id: main", {"select": '[id="main"]'}),
        ("  - element-by-class: big", {"select": '[class~="big"]'}),
        ("  - grep: a\n  - grep: {re: b}", {"lines": ["a", "b"]}),
        ("  - grepi: ad", {"ignore": ["^.*(?:ad).*$"]}),
        ("  - delete_lines_containing: {text: a.b}", {"ignore": [r"^.*(?:a\.b).*$"]}),
        ("  - keep_lines_containing: {re: a.b}", {"lines": ["a.b"]}),
        ("  - re.sub: '[0-9]+'", {"ignore": ["[0-9]+"]}),
        ("  - re.findall: v(.*)", {"regex": "v(.*)"}),
        ("  - sort\n  - remove-duplicate-lines", {"sort": True, "unique": True}),
        ("  - html2text: {method: re}\n  - strip", {}),
        ("  - pdf2text", {"kind": "pdf"}),
    ],
)
def test_filters_of_urlwatch_have_their_counterparts(filters: str, expected: dict[str, Any]) -> None:
    assert keys(filters) == expected


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ("  - ocr", "ocr has no counterpart"),
        ("  - css: a\n  - css: b", "css comes after another filter of its kind"),
        ("  - jq: '.[] | select(.a)'", "is not a simple path"),
        ("  - re.sub: {pattern: a, repl: b}", "dropped, not replaced"),
        ("  - css: {selector: a, maxitems: 1}", "maxitems has no counterpart"),
    ],
)
def test_filters_that_have_none_are_named(filters: str, why: str) -> None:
    [job] = jobs_of(f"url: https://a.example.net/\nfilter:\n{filters}")
    assert why in job.refused


@pytest.mark.parametrize("text", ["navigate: https://a.example.net/", "url: https://a.example.net/\nuse_browser: true"])
def test_a_job_that_needs_a_browser_has_one(text: str) -> None:
    [job] = jobs_of(text)
    assert (job.refused, job.keys["url"], job.keys["browser"]) == ("", "https://a.example.net/", True)


def test_a_file_of_urlwatch_is_taken_over_and_what_is_not_is_said(bench: Callable[..., Bench], tmp_path: Path) -> None:
    watch = bench("watch")
    file = tmp_path / "urls.yaml"
    file.write_text(URLWATCH)
    lines = watch.command("watch", "import", str(file), code=3).splitlines()
    assert lines == [
        "added Bicycle",
        "Bicycle: left out max_tries: no such key of a watch",
        "added Offers",
        "added https://old.example.net/",
        "not taken over: Uptime: command: a watch starts no programs",
        "not taken over: No checks: ssl_no_verify: certificates are always checked; [pollctl.http] ca_file names further authorities",
        "not taken over: Login: headers: they may hold secrets: write this watch into the settings",
        "not taken over: Piped: filter: shellpipe has no counterpart",
        "added Browser",
        "Browser: left out what a browser asks other hosts for: name those in allow_hosts",
    ]  # fmt: skip
    assert "added" not in watch.command("watch", "import", str(file), code=3)


def test_what_was_imported_is_watched(bench: Callable[..., Bench], tmp_path: Path) -> None:
    file = tmp_path / "urls.yaml"
    file.write_text(URLWATCH.partition("---")[0].replace("max_tries: 3", ""))
    watch = bench("watch").answer("https://shop.example.net/bicycle", "<p class=price>899 €<p class=price>free")
    watch.command("watch", "import", str(file))
    assert watch.run().outcome == "ok"
    assert watch.command("watch", "look", "Bicycle").startswith("> 899 €")


def changedetection(**found: Any) -> Any:
    watching = {"watching": {"4f2a": {"url": "https://a.example.net/", **found}}}
    [job] = jobs_of(json.dumps(watching))
    return job


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"title": "A"}, {"name": "A"}),
        ({"time_between_check": {"hours": 1, "minutes": 30, "days": None}}, {"every": "5400s"}),
        ({"include_filters": [".a", "#b"]}, {"select": ".a, #b"}),
        ({"include_filters": ["xpath://p"]}, {"xpath": "//p"}),
        ({"include_filters": ["//p"]}, {"xpath": "//p"}),
        ({"include_filters": ["json:$.a[0].b"]}, {"json": "a[0].b"}),
        ({"subtractive_selectors": ["nav"]}, {"without": ["nav"]}),
        ({"ignore_text": ["a.b", "/c+/i"]}, {"ignore": [r"(?i:^.*a\.b.*$)", "^.*(?:(?i:c+)).*$"]}),
        ({"trigger_text": ["in stock"]}, {"when": 'contains "in stock"'}),
        ({"extract_text": ["/v(.*)/"]}, {"regex": "v(.*)"}),
        ({"fetch_backend": "html_webdriver"}, {"browser": True}),
        ({"paused": True, "sort_text_alphabetically": True}, {"enabled": False, "sort": True}),
    ],
)
def test_watches_of_changedetection_have_their_counterparts(found: dict[str, Any], expected: dict[str, Any]) -> None:
    job = changedetection(**found)
    assert job.refused == ""
    assert {name: value for name, value in job.keys.items() if value not in ("", []) and name != "url"} == expected


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"browser_steps": [{"operation": "Click"}]}, "a browser shows a page, and does nothing there"),
        ({"processor": "restock_diff"}, "restock_diff has no counterpart"),
        ({"headers": {"A": "b"}}, "headers: they may hold secrets"),
        ({"method": "POST"}, "asks by GET"),
        ({"include_filters": ["xpath://p", ".a"]}, "several that are not all CSS"),
        ({"trigger_text": ["a", "b"]}, "only one plain text"),
        ({"include_filters": ["json:$..a"]}, "is not a simple path"),
    ],
)
def test_watches_that_have_none_are_named(found: dict[str, Any], why: str) -> None:
    assert why in changedetection(**found).refused


def test_a_list_of_addresses_is_taken_over(bench: Callable[..., Bench], tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("https://a.example.net/ news, sea\n\n# mine\nhttps://b.example.net/\n")
    assert (
        bench("watch").command("watch", "import", str(file))
        == "added https://a.example.net/\nadded https://b.example.net/\n"
    )


@pytest.mark.parametrize("text", ["{", "{}", "a: [", '{"watching": []}'])
def test_a_file_of_none_of_them_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"it is"):
        jobs_of(text)


@pytest.mark.parametrize(
    "text", ["just words", "- 5", "name: a", "url: ftp://a.example.net/", "url: https://me:word@a.example.net/"]
)
def test_a_job_that_is_none_is_said(bench: Callable[..., Bench], tmp_path: Path, text: str) -> None:
    file = tmp_path / "urls.yaml"
    file.write_text(text)
    assert "not taken over" in bench("watch").command("watch", "import", str(file), code=3)


def test_yaml_makes_no_objects() -> None:
    with pytest.raises(UsageError):
        jobs_of("!!python/object/apply:os.system ['true']")
