"""How results reach people and programs: text, listings, one JSON document, progress; heavy imports wait for their use."""

from pollctl.console import log_format
from pollctl.console.events import Event, log_event
from pollctl.console.json_document import print_json
from pollctl.console.json_values import as_plain, json_text
from pollctl.console.listing import print_more, print_rows
from pollctl.console.log_format import Format
from pollctl.console.progress import Progress, progress, say_at_once, until_stopped
from pollctl.console.streams import (
    abandon_stdout,
    log,
    log_json,
    log_lines,
    log_traceback,
    print_document,
    print_sentence,
    print_text,
    stdout_kept_for_json,
    warn,
)
from pollctl.console.terminal import is_terminal
from pollctl.console.words import age

__all__ = [
    "NOTHING_ENABLED",
    "Event",
    "Format",
    "Progress",
    "abandon_stdout",
    "age",
    "as_plain",
    "is_terminal",
    "json_text",
    "log",
    "log_event",
    "log_format",
    "log_json",
    "log_lines",
    "log_traceback",
    "print_document",
    "print_json",
    "print_more",
    "print_rows",
    "print_sentence",
    "print_text",
    "progress",
    "say_at_once",
    "stdout_kept_for_json",
    "until_stopped",
    "warn",
]

NOTHING_ENABLED = (
    "no plugin is enabled; `pollctl plugins` lists those that are installed, a section [plugins.NAME] enables one"
)
