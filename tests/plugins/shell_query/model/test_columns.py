"""The columns that ``--create-target`` names."""

from __future__ import annotations

import pytest

from pollctl_shell_query.model import Column, read_columns


def test_columns_are_read_with_their_sizes() -> None:
    assert read_columns(" Name : text(50) ,Rate:Decimal(10, 2),At:Date,Price:Decimal") == [
        Column(name="Name", kind="Text", length=50),
        Column(name="Rate", kind="Decimal", length=10, scale=2),
        Column(name="At", kind="Date"),
        Column(name="Price", kind="Decimal", length=18, scale=0),
    ]


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "a:", ":Text", "a:Text(0)", "a:Text(4001)", "a:Text(5,1)", "a:Number(5)", "a:Blob", "a:Text,", "a:Text,,b:Text",
     "a:Text,A:Date", "a:Decimal(39)", "a:Decimal(5,6)", "a:Text(50", "a:Text)50(", f"{'a' * 129}:Text"],
)  # fmt: skip
def test_columns_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"column|type|name|Text|takes|Decimal|called"):
        read_columns(text)
