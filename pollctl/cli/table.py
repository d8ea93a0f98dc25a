"""The table of commands: names and helps, so that ``--help`` imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: the module below ``pollctl.cli`` that has it under its own name, and its help in one line."""

    module: str
    help: str


COMMANDS = {
    "init": Entry("install", "Write a commented pollctl.toml and create the database."),
    "demo": Entry("demo", "Run all plugins against embedded upstreams in a temporary place."),
    "fake": Entry("fake", "Serve a plugin's fake upstream, to try things by hand."),
    "run": Entry("passes", "Run one pass of each plugin."),
    "plan": Entry("passes", "Show what a pass would decide; write nothing, here or upstream."),
    "due": Entry("due", "List the plugins that are due, or run them."),
    "why": Entry("due", "Say why plugins are or are not due."),
    "status": Entry("status", "Show how each plugin stands."),
    "history": Entry("history", "List past passes, newest first."),
    "show": Entry("history", "Show everything about one pass."),
    "replay": Entry("replay", "Decide again what was recorded and show any difference."),
    "new-plugin": Entry("new_plugin", "Write a package for a new plugin, with tests that pass."),
    "plugins": Entry("plugins", "List the plugins that are installed, print their samples, enable one."),
    "check": Entry("check", "Check settings, database, clock and plugins."),
    "notify": Entry("notify", "Send a test message to the addresses in use."),
    "outbox": Entry("outbox", "List, retry or drop effects."),
    "db": Entry("database", "Migrate, back up, check or prune the database."),
    "report": Entry("report", "Write one HTML page about all plugins."),
    "web": Entry("web", "Show the database in a browser, without what is private."),
    "metrics": Entry("metrics", "Print or serve metrics for Prometheus."),
    "loop": Entry("deploy", "Start what is due at each full minute, in place of cron."),
    "crontab": Entry("deploy", "Print the lines to install in a crontab."),
    "systemd": Entry("deploy", "Print a service and a timer of systemd."),
    "help": Entry("help", "Show the help of a command."),
    "completion": Entry("install", "Print the completion script of a shell."),
}
TAKEN = tuple(COMMANDS)
"""Names that no plugin may have."""
