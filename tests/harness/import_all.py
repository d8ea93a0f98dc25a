"""Import every module of pollctl and its plugins: what an older library or another Python lacks shows itself here first."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from typing import NoReturn

from product_copy import PLUGINS

PACKAGES = ("pollctl", *(f"pollctl_{plugin}" for plugin in PLUGINS))
OLD_NAMES = {"pollctl.stage"}  # it warns on purpose


def main() -> None:
    """Import them all; the first that fails ends it with its traceback."""
    count = 0
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.", onerror=_raise):
            if module.name in OLD_NAMES:
                with warnings.catch_warnings(action="ignore"):
                    importlib.import_module(module.name)
            else:
                importlib.import_module(module.name)
            count += 1
    print(f"{count} modules imported")


def _raise(_: str) -> NoReturn:
    raise  # noqa: PLE0704 - what is being handled there


if __name__ == "__main__":
    main()
