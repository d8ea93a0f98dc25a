"""What a pod is told of files that are not its own: whose they are, their mode, and what helps (scale.md, rule 10)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from other_users import NOBODY, as_root, become

from pollctl.config import settings
from pollctl.errors import ConfigError
from pollctl.ownership import refusal_to_write

pytestmark = as_root
POD = 1_000_680_000
"""A user as OpenShift gives them: no name, and the group 0, or another where ``runAsGroup`` says so."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can look into, unlike those of pytest."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def owned(path: Path, user: int, group: int, mode: int) -> Path:
    path.touch()
    os.chown(path, user, group)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("group", [0, 10001])
def test_a_database_that_was_restored_by_another_user(folder: Path, group: int) -> None:
    database = owned(folder / "pollctl.db", 10001, 10001, 0o600)
    with become(POD, group):
        refusal = refusal_to_write(database)
    assert refusal == (
        f"{database}: the database belongs to somebody (uid 10001, gid 10001), mode 0600, and you are uid {POD}, gid {group}; "
        f"let your group have it: `chgrp {group} {database}; chmod 660 {database}`, which fsGroup: {group} of a pod does"
    )
    owned(database, 10001, group, 0o660)
    with become(POD, group):
        assert refusal_to_write(database) == "", "the remedy helps"


def test_a_user_with_a_name_is_told_the_command_of_a_machine(folder: Path) -> None:
    database = owned(folder / "pollctl.db", 0, 0, 0o600)
    with become(NOBODY, NOBODY):
        assert refusal_to_write(database).endswith(
            "and you are nobody; write to it as its owner: `sudo -u root pollctl ...`"
        )


@pytest.mark.parametrize("what", ["secret", "settings"])
def test_what_is_mounted_for_root_alone(folder: Path, what: str) -> None:
    secret = folder / "url"
    secret.write_text("json://127.0.0.1/x")
    path = folder / "config.toml"
    path.write_text(f'[pollctl]\ndatabase = "pollctl.db"\n[pollctl.notify]\nurls = [{{ file = "{secret}" }}]\n')
    settings.load(path)
    unread = owned({"secret": secret, "settings": path}[what], 0, 0, 0o440)
    with become(POD, 10001), pytest.raises(ConfigError) as raised:
        settings.load(path)
    assert (
        f"cannot be read: Permission denied: it belongs to root (uid 0, gid 0), mode 0440, and you are uid {POD}, gid 10001; "
        "fsGroup: 10001 of a pod makes what is mounted its group's"
    ) in str(raised.value)
    owned(unread, 0, 10001, 0o440)
    with become(POD, 10001):
        settings.load(path)
