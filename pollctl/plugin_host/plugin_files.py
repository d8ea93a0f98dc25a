"""Plugins of one file: each ``NAME.py`` in the folder that ``[pollctl] plugins_dir`` names, without packaging."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pollctl.config.files import UnfitFileError, read_at_most
from pollctl.ownership import fault_of_code_folder
from pollctl.plugin_host.installed import EntryPoint

LARGEST = 1_000_000
"""Bytes of a source file; what is larger is not one that somebody wrote."""
_ENDING = ".py"
_PREFIX = "pollctl_file_"
"""Begins the names of their modules, so that ``json.py`` takes the place of no library."""


class PluginFile(EntryPoint):
    """A plugin in a file of its own, whose path stands in the place of value and distribution."""

    __slots__ = ()

    @property
    def module(self) -> str:
        """What its module is called; no import finds it."""
        return _PREFIX + self.name.replace("-", "_")

    @property
    def file(self) -> str:
        """Its path."""
        return self.value

    def load(self) -> Any:
        """Run the file: its ``plugin`` where that is there and no hook is, else the module.

        Raises:
            UnfitFileError: strangers may have written it, or it is not a source file.
        """
        module = self._module(_read(Path(self.value)))
        has_hooks = any(name.startswith("pollctl_") for name in vars(module))
        return module if has_hooks else getattr(module, "plugin", module)

    def _module(self, source: bytes) -> ModuleType:
        known = sys.modules.get(self.module)
        loader = known.__spec__.loader if known and known.__spec__ else None
        if known and isinstance(loader, _Loader) and (loader.path, loader.source) == (self.value, source):
            return known
        return _executed(self.module, _Loader(self.value, source))


class _Loader(importlib.abc.ExecutionLoader):
    """Runs what was read when owner and mode were looked at; no byte code, which others may have laid beside it."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 - the signature of importlib
        return self.path

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - as above
        return importlib.util.decode_source(self.source)


def files_in(folder: Path) -> Sequence[PluginFile]:
    """The plugins of a folder, in the order of their names and none of them run; those with ``_`` or ``.`` first are not plugins.

    Empty where there is no such folder, as ``fault_of`` says.
    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is wanted
    except (OSError, ValueError):
        return []
    paths = [folder / name for name in names if name.endswith(_ENDING) and not name.startswith(("_", "."))]
    return [PluginFile(path.name.removesuffix(_ENDING), str(path), "pollctl", str(path)) for path in paths]


def fault_of(folder: Path) -> str:
    """Why no plugin of a folder is run; empty when they are."""
    try:
        if not folder.is_dir():
            return "there is no such folder"
        fault = fault_of_code_folder(folder)
    except OSError as error:
        return str(error.strerror)
    return f"not obeyed: its folder: {fault}" if fault else ""


def _read(path: Path) -> bytes:
    source = read_at_most(path, LARGEST)
    if len(source) > LARGEST:
        raise UnfitFileError("larger than 1 MB; that is not a plugin")
    return source


def _executed(name: str, loader: _Loader) -> ModuleType:
    spec = importlib.util.spec_from_loader(name, loader, origin=loader.path)
    if spec is None:
        raise ImportError(name)
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module  # structs look up the types of their fields there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if before:
            sys.modules[name] = before
        raise
    return module
