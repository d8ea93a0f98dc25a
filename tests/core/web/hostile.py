"""Ways to get at a column that is not to be seen, and what gives it away."""

from __future__ import annotations

import base64
from collections.abc import Iterator

STATEMENTS = (
    "SELECT {c} FROM {t}",
    "SELECT * FROM {t}",
    "SELECT {t}.* FROM {t}",
    "SELECT a.{c} AS harmless FROM {t} AS a",
    "SELECT main.{t}.{c} FROM main.{t}",
    'SELECT "{c}" FROM "{t}"',
    "SELECT [{c}] FROM [{t}]",
    "SELECT upper({c}) || lower({c}), hex({c}), quote({c}), substr({c}, 1), printf('%s', {c}) FROM {t}",
    "SELECT hex(CAST({c} AS BLOB)), unicode({c}), replace({c}, 'x', 'y'), json_quote({c}), char(unicode({c})) FROM {t}",
    "SELECT group_concat({c}), min({c}), max({c}), json_group_array({c}), json_object('x', max({c})) FROM {t}",
    "SELECT first_value({c}) OVER (ORDER BY {c}), lag({c}, 0) OVER (), nth_value({c}, 1) OVER () FROM {t}",
    "SELECT coalesce({c}, 'none'), ifnull({c}, 'none'), iif(1, {c}, {c}), CASE WHEN 1 THEN {c} END FROM {t}",
    "WITH x AS (SELECT {c} AS y FROM {t}) SELECT y FROM x",
    "WITH x(y) AS MATERIALIZED (SELECT {c} FROM {t}) SELECT y FROM x",
    "WITH RECURSIVE x(n, y) AS (SELECT 1, {c} FROM {t} UNION ALL SELECT n + 1, substr(y, n) FROM x WHERE n < 99) SELECT y FROM x",
    "SELECT 1 AS a UNION SELECT {c} FROM {t}",
    "SELECT {c} FROM {t} EXCEPT SELECT 1",
    "SELECT (SELECT {c} FROM {t})",
    "SELECT x FROM (SELECT {c} AS x FROM {t})",
    "SELECT value FROM {t}, json_each(json_array({c}))",
    "SELECT atom FROM {t}, json_tree(json_object('x', {c}))",
    "SELECT y.{c} FROM {t} AS x JOIN {t} AS y ON x.rowid = y.rowid",
    "SELECT b.{c} FROM (SELECT 1) AS a LEFT JOIN {t} AS b ON 1",
    "SELECT b.{c} FROM (SELECT 1) AS a FULL JOIN {t} AS b ON 1",
    "SELECT {c} FROM {t} FULL JOIN (SELECT NULL AS {c}) USING ({c})",
    "SELECT {c} FROM {t} FULL JOIN (SELECT 'z' AS {c}) AS b USING({c})",
    "SELECT * FROM {t} NATURAL FULL JOIN (SELECT 'z' AS {c}) AS b",
    "SELECT {c} FROM {t} AS x FULL JOIN {t} AS y uSiNg ({c})",
    "SELECT {c} FROM {t} FULL JOIN (SELECT ?1 AS {c})USING({c})",
    "SELECT {c} FROM {t} FULL/**/JOIN(SELECT 1 AS {c})/**/USING/**/({c})",
    "WITH x({c}) AS (VALUES (1)) SELECT {c} FROM x NATURAL FULL OUTER JOIN {t}",
    "SELECT 1 FROM {t} ORDER BY {c}",
    "SELECT count(*), {c} FROM {t} GROUP BY {c} HAVING {c} > ''",
    "SELECT DISTINCT {c} FROM {t}",
    "SELECT ({c}, 1) = ('x', 1), {c} IN (SELECT {c} FROM {t}) FROM {t}",
    "SELECT json({c}) FROM {t}",
    "SELECT json_extract('[1]', {c}) FROM {t}",
    "SELECT abs(CAST({c} AS INTEGER)) + zeroblob({c}), printf({c}) FROM {t}",
    "SELECT 1 FROM {t} WHERE {c} LIKE 'x' ESCAPE {c}",
    "SELECT raise(ABORT, {c}) FROM {t}",
    "EXPLAIN SELECT {c} FROM {t}",
    "EXPLAIN QUERY PLAN SELECT {c} FROM {t} WHERE {c} > ''",
)
"""Each with the table and the column; nothing of the canary may be in any answer."""

GUESSES = (
    "SELECT count(*) AS n FROM {t} WHERE {c} = '{canary}'",
    "SELECT count(*) AS n FROM {t} WHERE {c} LIKE 'canary%'",
    "SELECT count(*) AS n FROM {t} WHERE {c} GLOB 'canary*' OR instr({c}, 'canary')",
    "SELECT count(*) AS n FROM {t} WHERE {c} >= 'canary' AND {c} < 'canarz'",
    "SELECT count(*) AS n FROM {t} WHERE {c} IN ('{canary}') OR '{canary}' IN (SELECT {c} FROM {t})",
    "SELECT count(*) AS n FROM {t} WHERE length({c}) > 0 OR length(CAST({c} AS BLOB)) > 0",
    "SELECT count(*) AS n FROM {t} WHERE typeof({c}) <> 'null' OR {c} IS NOT NULL",
    "SELECT count({c}) AS n FROM {t}",
    "SELECT sum({c} = '{canary}') > 0 AS n FROM {t}",
    "SELECT total(length({c})) AS n FROM {t}",
    "SELECT count(*) AS n FROM {t} AS a JOIN (SELECT '{canary}' AS {c}) AS b ON a.{c} = b.{c}",
    "SELECT count(*) AS n FROM {t} JOIN (SELECT '{canary}' AS {c}) USING ({c})",
    "SELECT count(*) AS n FROM {t} NATURAL JOIN (SELECT '{canary}' AS {c})",
)
"""Each answers whether a guess is right: the number must be 0, or there is no answer."""


def spellings(canary: str) -> Iterator[str]:
    """How a canary may be written."""
    raw = canary.encode()
    yield from (canary.lower(), raw.hex(), canary[::-1].lower(), base64.b64encode(raw).decode().rstrip("=").lower())
    yield str(list(raw))[1:-1].lower()


def betrays(answer: str, canary: str) -> bool:
    """Whether an answer has a canary in it; what was asked, which a page repeats, has none of its letters."""
    said = answer.lower()
    return any(one in said for one in spellings(canary))
