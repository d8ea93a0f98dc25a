"""Values as the one JSON document on stdout."""

from __future__ import annotations

from typing import Any

from pollctl.console.json_values import json_text
from pollctl.console.streams import print_document


def print_json(value: Any) -> None:
    """Print one JSON document, secrets masked."""
    print_document(f"{json_text(value)}\n")
