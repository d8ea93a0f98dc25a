from __future__ import annotations

from pathlib import Path

import pytest

from pollctl import UsageError
from pollctl_shell_query.commands.options import LARGEST_SQL, sql_text


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(UsageError, match="larger than 1 MB"):
        sql_text(None, Path("/dev/zero"))


def test_the_largest_text_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("x" * LARGEST_SQL)
    assert len(sql_text(None, file)) == LARGEST_SQL
