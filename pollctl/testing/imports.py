"""What importing a plugin brings along."""

from __future__ import annotations

import sys

HEAVY = frozenset({"apprise", "boto3", "lxml", "requests", "zeep"})
"""What importing a plugin must not import: a pass pays for it only when it is needed."""


def imports_of(module: str, python: str = sys.executable) -> set[str]:
    """The top-level packages that importing *module* brings along, seen in a fresh interpreter that finds what this one finds."""
    import os
    import subprocess

    script = f"import sys, {module}; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True, env=env)
    return set(done.stdout.split())
