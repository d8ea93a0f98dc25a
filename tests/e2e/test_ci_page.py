"""docs/ci.md: the jobs run as they are written, in a repository that holds what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def yaml_below(heading: str) -> object:
    block = re.search(rf"^## {heading}\n.*?^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    return yaml.safe_load(block[1])


def github_lines() -> list[str]:
    workflow = yaml_below("GitHub Actions")
    assert isinstance(workflow, dict)
    return [step["run"] for step in workflow["jobs"]["smoke"]["steps"] if "run" in step]


def gitlab_lines() -> list[str]:
    pipeline = yaml_below("GitLab")
    assert isinstance(pipeline, dict)
    lines: list[str] = pipeline["pollctl"]["script"]
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("lines", [github_lines(), gitlab_lines()], ids=["GitHub", "GitLab"])
def test_the_job_passes_and_leaves_its_plan(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "pollctl.toml").write_text(BLOCKS["toml"])
    install, *commands = lines
    assert install == "pip install pollctl"  # it is installed here already
    env = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CI": "true",
    }
    for command in commands:
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert json.loads((tmp_path / "plan.json").read_text())["decisions"] == []


@pytest.mark.slow
def test_a_typo_in_the_settings_ends_the_job(tmp_path: Path) -> None:
    (tmp_path / "pollctl.toml").write_text(BLOCKS["toml"].replace("schedule", "shedule"))
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    words = ["bash", "-e", "-c", "pollctl check"]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "did you mean 'schedule'?" in done.stdout + done.stderr
