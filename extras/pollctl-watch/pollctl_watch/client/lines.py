"""A text as it is compared: without what does not matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from pollctl_watch.model import Watch

LONGEST = 200_000
"""Characters that are kept of a text; of the rest only whether it changes."""


def matches(texts: Sequence[str], pattern: str) -> list[str]:
    """Of texts only what matches, each a text of its own: the first group, or all of the match."""
    if not pattern:
        return list(texts)
    found = re.finditer(pattern, "\n".join(texts), re.MULTILINE)
    return [(one[1] if one.re.groups else one[0]) or "" for one in found]


def cleaned(texts: Sequence[str], watch: Watch) -> str:
    """Lines with blanks folded; dropped, sorted and made unique as a watch says."""
    text = "\n".join(texts)
    for pattern in watch.ignore:
        text = re.sub(pattern, "", text, flags=re.MULTILINE)
    lines = [" ".join(words) for words in map(str.split, text.splitlines()) if words]
    if watch.lines:
        wanted = re.compile("|".join(f"(?:{pattern})" for pattern in watch.lines))
        lines = [line for line in lines if wanted.search(line)]
    if watch.unique:
        lines = list(dict.fromkeys(lines))
    if watch.sort:
        lines.sort()
    return _bounded("\n".join(lines))


def _bounded(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    kept, rest = text[:LONGEST], text[LONGEST:]
    return f"{kept}\n… {len(rest)} more characters, sha256 {sha256(rest.encode('utf-8', 'replace')).hexdigest()[:16]}"
