"""On PYTHONPATH: a Python without fork, so that passes begin as everywhere but on Linux."""

import os

del os.fork
