from __future__ import annotations

from pathlib import Path

import pytest
from plugins.soc_sections.world import NOON

from pollctl import UsageError
from pollctl_soc_sections.commands.subscription_input import read_file

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(UsageError, match="larger than 10 MB"):
        read_file(Path("/dev/zero"), NOON)
