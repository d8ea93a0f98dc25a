"""Files for people, written by commands of plugins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pollctl.config.target_file import STDOUT, require_new, written_whole
from pollctl.errors import PollctlError

if TYPE_CHECKING:
    from pollctl.config.settings import Config


@contextmanager
def exporting(path: Path | None, config: Config, *, may_replace: bool) -> Iterator[TextIO]:
    """Where rows go: stdout, or a file that takes its place only when it is whole.

    Raises:
        UsageError: a file is there that may not be replaced.
        PollctlError: the file cannot be written.
    """
    if path is None or path == STDOUT:
        yield sys.stdout
        return
    require_new(path, config, may_replace=may_replace)
    try:
        with written_whole(path, newline="") as out:
            yield out
    except OSError as error:
        raise PollctlError(f"{path} cannot be written: {error.strerror or error}") from error
