"""Lets pollctl take its SQLite for the version ``PRETENDED_SQLITE``, by which it chooses between WAL and a rollback journal.

Python imports this at its start where the folder is in ``PYTHONPATH``. What older versions lack for WAL is freedom from a race of
two connections that write or checkpoint at the same moment; WAL itself is the same.
"""

import os
import sqlite3

vars(sqlite3).update(sqlite_version_info=tuple(map(int, os.environ["PRETENDED_SQLITE"].split("."))))
