"""A public signature changes together with the changelog (authors.md, rule 23)."""

from __future__ import annotations

from pathlib import Path

from public_names import signatures

RECORD = Path(__file__).with_name("public_names.txt")


def test_no_public_signature_changes_unnoticed() -> None:
    """Write the record again with ``python tests/harness/public_names.py``, and a line into CHANGELOG.md."""
    assert signatures() == RECORD.read_text()
