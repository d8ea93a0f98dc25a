"""SQL text is removed from what the upstream says, whole and in pieces."""

from __future__ import annotations

import pytest
from plugins.shell_query.place import SQL

from pollctl_shell_query.client.sql_removal import LONGEST_MESSAGE, without_sql


@pytest.mark.parametrize(
    ("text", "sql", "kept"),
    [
        (f"cannot run {SQL}: bad", SQL, "cannot run [the SQL text]: bad"),
        (f"cannot run {SQL[:30]}: bad", SQL, "cannot run [the SQL text]: bad"),
        ("Invalid column name 'Subscribers'", SQL, "Invalid column name 'Subscribers'"),
        (f"cannot delete {SQL}: bad", "", "cannot delete [the SQL text]"),
        ("cannot delete /* ours */ x", None, "cannot delete [the SQL text]"),
        ("It is in use", None, "It is in use"),
        (f"{'x' * (LONGEST_MESSAGE - 40)} {SQL}", SQL, f"{'x' * (LONGEST_MESSAGE - 40)} [the SQL text]"),
        ("y" * 5000, SQL, "y" * (LONGEST_MESSAGE - 1) + "…"),
    ],
)
def test_sql_text_is_cut_out_whole_and_in_pieces(text: str, sql: str | None, kept: str) -> None:
    assert without_sql(text, sql) == kept
