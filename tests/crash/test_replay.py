"""Every pass of every plugin's story, recorded, decides the same again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from plugin_package import run_pollctl
from worlds.every import every
from worlds.world import Story, story


def record_all(told: Story) -> None:
    file = told.folder / "pollctl.toml"
    file.write_text(file.read_text().replace("[pollctl]\n", '[pollctl]\nrecord = "all"\n', 1))


@pytest.mark.parametrize("name", every())
def test_every_recorded_pass_decides_the_same_again(name: str, tmp_path: Path) -> None:
    with story(every()[name], tmp_path / "world") as told:
        record_all(told)
        ending = told.rest()
        with closing(sqlite3.connect(told.database)) as db:
            ((batches, decisions),) = db.execute("SELECT sum(batches), sum(decisions) FROM runs").fetchall()
            ((recorded,),) = db.execute("SELECT count(*) FROM recordings").fetchall()
        done = run_pollctl(told.folder, told.env, "replay", "--all", "--json")
        print(
            f"figure: {name}: {recorded} recorded batches with {decisions} decisions, replayed: exit {done.returncode}"
        )
        assert recorded == batches > 0 < decisions
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)
        assert told.ending() == ending
