"""A public signature changes together with the changelog (authors.md, rule 23)."""

from __future__ import annotations

from pathlib import Path

from public_names import signatures

import pollctl

RECORD = Path(__file__).with_name("public_names.txt")


def test_no_public_signature_changes_unnoticed() -> None:
    """Write the record again with ``python tests/harness/public_names.py``, and a line into CHANGELOG.md."""
    assert signatures() == RECORD.read_text()


def test_no_module_is_called_like_a_public_name() -> None:
    """Once it is imported, it would stand in the name's place."""
    modules = {path.stem for path in Path(pollctl.__file__).parent.iterdir()}
    assert modules & set(pollctl.__all__) == set()
