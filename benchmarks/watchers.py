"""Watchers of pages side by side: what they lose or tell twice when they are disturbed, and what many watches cost.

    python -m venv peers && peers/bin/pip install urlwatch webchanges
    pip install ./extras/pollctl-watch
    python benchmarks/watchers.py peers/bin [WATCHES...]

The first table: each program looks at a page, the page changes once, the program is disturbed while it looks again, and then looks
twice undisturbed. The change must be told once. The second table, for 1,000 and 10,000 watches if nothing else is said: each
program has looked at all pages, one in a hundred changes, and it looks again; beside it a pass that does nothing but
``run.get_many`` for the same addresses. Without the folder of the peers only ours is looked at. Exits 1 when ours loses or doubles
anything.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from watching import costs, crashes
from watching.programs import OURS, PEERS


def main() -> int:
    if find_spec("pollctl_watch") is None:
        print("pollctl-watch is not installed: pip install ./extras/pollctl-watch")
        return 0
    bin_folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("/nonexistent")
    names = [OURS, *(name for name in PEERS if (bin_folder / name).exists())]
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    is_whole = crashes.print_matrix(names, bin_folder)
    for count in [int(word) for word in sys.argv[2:]] or [1000, 10_000]:
        costs.print_costs(names, bin_folder, count)
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
