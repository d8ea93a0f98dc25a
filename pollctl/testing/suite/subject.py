"""The plugin that is held against the suite, and benches on which it makes passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pollctl.config.settings import load as load_config
from pollctl.errors import ConfigError
from pollctl.fakes import FakeUpstream, Playground
from pollctl.plugin_host.blame import function_place
from pollctl.plugin_host.configured import configure
from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.installed import EntryPoint, entry_points
from pollctl.plugin_host.loader import Plugin, load
from pollctl.testing import in_process
from pollctl.testing.bench import Bench

Arrange = Callable[[Bench], object]


class Upstream:
    """The plugin's own fake upstream, made anew at the same port whenever it is to forget.

    Args:
        make: makes it, with settings, for a port.
    """

    def __init__(self, make: Callable[[int], Playground]) -> None:
        self._make = make
        self._serving = ExitStack()
        self.port = 0
        self.settings = ""

    def begin(self, other: Callable[[int], FakeUpstream] | None = None) -> None:
        """Let it serve, with nothing in its memory; or let *other* serve at its port."""
        self._serving.close()
        if other is None:
            playground = self._make(self.port)
            self.settings, upstream = playground.settings, playground.upstream
        else:
            upstream = other(self.port)
        self.port = urlsplit(upstream.url).port or 0
        self._serving.enter_context(upstream)

    def end(self) -> None:
        """Serve no more."""
        self._serving.close()


class Arranged(NamedTuple):
    """A bench that is ready for a pass, and the plugin's own upstream if it has one."""

    bench: Bench
    upstream: Upstream | None

    def forget(self) -> None:
        """Let the upstream forget what it was asked."""
        if self.upstream:
            self.upstream.begin()


class Subject:
    """One installed plugin.

    Args:
        name: its name.
        arrange: readies a bench: settings, answers, commands.
        ignore: tables and columns that a pass made again may leave different; see ``Bench.crashes``.
        env: environment variables of its passes.
    """

    def __init__(
        self, name: str, arrange: Arrange | None, ignore: Collection[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name.replace("-", "_")
        self.ignore = ignore
        self._arrange = arrange
        self._env = env

    @cached_property
    def plugin(self) -> Plugin:
        """It, imported.

        Raises:
            PollctlError: there is none, or it breaks the contract.
        """
        return load(find(self.name))

    @property
    def module(self) -> str:
        """What its entry point names."""
        return find(self.name).entry_point.module

    @cached_property
    def folder(self) -> Path | None:
        """That of its package; None for one that is a single file."""
        from importlib.util import find_spec

        spec = find_spec(self.module)
        places = list(spec.submodule_search_locations or ()) if spec else []
        return Path(places[0]) if places else None

    def place(self, hook: str) -> str:
        """Where the plugin implements a hook, as ``__init__.py:12``."""
        found = self.plugin.hooks.implementations(hook, self.name)
        return function_place(found[0]) if found else self.module

    def announced(self, group: str) -> EntryPoint | None:
        """What stands under its name in another group of entry points."""
        return next((one for one in entry_points(group) if one.name.replace("-", "_") == self.name), None)

    @contextmanager
    def arranged(self) -> Iterator[Arranged]:
        """A bench, ready for a pass: with the plugin's playground if it has one, and with what the author's function does."""
        with TemporaryDirectory(prefix="pollctl-bench-") as folder, ExitStack() as until_ended:
            bench = until_ended.enter_context(Bench(self.name, folder=Path(folder), env=self._env))
            upstream = self._upstream()
            if upstream:
                upstream.begin()
                until_ended.callback(upstream.end)
                bench.settings(upstream.settings)
            if self._arrange:
                self._arrange(bench)
            yield Arranged(bench, upstream)

    def wrong_settings(self) -> list[str]:
        """Why no pass begins on the bench, where that is so: whatever else is seen of passes comes of it."""
        with self.arranged() as (bench, _), in_process.surroundings(bench.folder, bench.environment()):
            try:
                configure(load_config(bench.folder / "pollctl.toml"), find(self.name), check_schedule=False)
            except ConfigError as error:
                why = " ".join(str(error).split())
                remedy = "mend the settings of its playground (pollctl.fakes), or those in conformance(NAME, arrange)"
                return [f"no pass begins on the bench: {why}; {remedy}"]
        return []

    def _upstream(self) -> Upstream | None:
        entry = self.announced("pollctl.fakes")
        if entry is None:
            return None
        make: Any = entry.load()
        return Upstream(make)
