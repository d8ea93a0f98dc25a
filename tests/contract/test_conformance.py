"""The plugins that ship with pollctl pass the conformance suite (authors.md 19), each with something to do."""

from __future__ import annotations

from typing import Any

import pytest

from pollctl.testing import Bench, conformance

pytestmark = pytest.mark.slow

TOKEN = {"BENCH_TOKEN": "refresh-anna-demo"}


def watched(latency: Bench) -> None:
    for target in ("gateway.example.net", "backup.example.net"):
        latency.command("latency", "add", target, "--cadence", "1s", "--alert-offline", "--notify", "json://inbox/crew")


def submitted(shell_query: Bench) -> None:
    shell_query.command("shell-query", "submit", "--sql", "SELECT Name, Opens FROM Subscribers", "--target", "Opens")


def subscribed(soc: Bench) -> None:
    soc.run()
    (row,) = soc.sql("SELECT index_number FROM soc_sections WHERE campus = 'NB' AND status = 'OPEN' LIMIT 1")
    words = ("soc-sections", "subscribe", row["index_number"], "--term", "FA2026", "--campus", "NB")
    soc.command(*words, "--contact", "json://inbox/ada")
    soc.forget().at("+10m")


def connected(stockx: Bench) -> None:
    stockx.command("stockx-ops", "account", "connect", "anna", "--refresh-token-env", "BENCH_TOKEN")
    words = ("--user", "anna", "--type", "create_listing", "--listing", "boots")
    stockx.command("stockx-ops", "track", "op-boots", *words)


MEASURED = [f"latency_samples.{name}" for name in ("rtt_ms", "jitter_ms")]
GRANTED = ["shell_query_tokens.access_token", "shell_query_runs.task_id", "shell_query_runs.query_definition_id"]
COUNTED = ["soc_campuses.polls", "soc_campuses.counts", "soc_campuses.last_duration_ms", "soc_polls"]
PACED = ["stockx_accounts.access_token", "stockx_pace"]
NUMBERED = [
    "status_check.subscription_id",
    "status_check_subscription.subscription_id",
    "status_check_subscription.is_uncertain",
]
"""What a fake upstream measures, grants or numbers otherwise when it is asked again; and how often each was asked."""

test_latency: Any = conformance("latency", watched, ignore=MEASURED)
test_shell_query: Any = conformance("shell_query", submitted, ignore=GRANTED)
test_soc_sections: Any = conformance("soc_sections", subscribed, ignore=COUNTED)
test_stockx_ops: Any = conformance("stockx_ops", connected, ignore=PACED, env=TOKEN)
test_toilet_gap: Any = conformance("toilet_gap", ignore=NUMBERED)
