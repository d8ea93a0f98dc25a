"""What commands of plugins are given as text."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pollctl import ReadBy, UsageError, text_of
from pollctl.plugin_host.typed_text import LARGEST


def test_an_option_is_read_by_a_function_whose_refusal_is_the_message() -> None:
    @click.command()
    @click.option("--count", type=ReadBy("count", int))
    def command(count: int) -> None:
        click.echo(repr(count))

    assert CliRunner().invoke(command, ["--count", " 7 "]).output == "7\n"
    refused = CliRunner().invoke(command, ["--count", "seven"])
    assert refused.exit_code == 2
    assert "invalid literal for int() with base 10: 'seven'" in refused.output


def test_a_file_is_text_with_or_without_the_mark_of_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + "naïve\n".encode())
        assert text_of(path, "a list") == "naïve\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file or directory"), (b"\xff", "not UTF-8"), (b"x" * (LARGEST + 1), "larger than 10 MB; that is not a list")],
    ids=["none", "bytes", "large"],
)  # fmt: skip
def test_a_file_that_cannot_be_it_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        text_of(path, "a list")
    assert str(refused.value) == f"{path}: {says}"
