"""docs/deploy: what containers are made of, and how Kubernetes and Compose run them (scale.md, rules 7 and 8)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from manual_pages import DOCS, ROOT
from place import Place

import pollctl
from pollctl.config import settings
from pollctl.deploy.loop import LONGEST_END_S

DEPLOY = DOCS / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
ANY_USER_OF_GROUP_0 = (10001, 0)


def documents() -> dict[str, Any]:
    """Every object of the manifests, by its kind."""
    found = [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]
    return {document["kind"]: document for document in found}


OBJECTS = documents()
JOB = OBJECTS["CronJob"]["spec"]["jobTemplate"]["spec"]
PODS = {"Deployment": OBJECTS["Deployment"]["spec"]["template"]["spec"], "CronJob": JOB["template"]["spec"]}
each_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def tool(name: str) -> str:
    """Where a program of the development group lies; the test is skipped where it could not be installed."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        pytest.skip(f"needs {name}")
    return found


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", CONTAINERFILE, re.MULTILINE)


# the image


def test_hadolint_has_nothing_to_say_of_the_containerfile() -> None:
    done = subprocess.run(
        [tool("hadolint"), str(DEPLOY / "Containerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "hadolint ignore" not in CONTAINERFILE


def test_the_image_runs_as_a_number_of_group_0_below_tini_and_keeps_its_data_in_a_volume() -> None:
    assert instructions("USER") == ["10001:0"]
    assert "install --directory --owner=0 --group=0 --mode=2770 /data" in CONTAINERFILE
    assert instructions("VOLUME") == ['["/data"]']
    assert instructions("ENTRYPOINT") == ['["tini", "--", "pollctl"]']
    assert instructions("CMD") == ['["loop", "--beat", "/tmp/beat"]']
    assert {"tini", "tzdata"} <= set(re.findall(r'"(\w+)=', CONTAINERFILE))
    (pinned,) = re.findall(r'"pollctl\[curl,sqs\]==(.+)"', CONTAINERFILE)
    assert fnmatch(pollctl.__version__, pinned)


def test_what_the_image_copies_is_what_a_wheel_is_built_from(tmp_path: Path) -> None:
    for words in instructions("COPY"):
        *sources, target = words.split()
        for source in sources:
            at = tmp_path / target.lstrip("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, at, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                at.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, at)
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(tmp_path / "src")], check=True, timeout=120)
    assert [path.name for path in tmp_path.glob("*.whl")] == [f"pollctl-{pollctl.__version__}-py3-none-any.whl"]


# Kubernetes


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_takes_the_manifests(path: Path) -> None:
    command = [tool("kubernetes-validate"), "--strict", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert "passed" in done.stdout + done.stderr


def test_there_is_never_a_second_pod() -> None:
    deployment, cron = OBJECTS["Deployment"]["spec"], OBJECTS["CronJob"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert (JOB["parallelism"], JOB["completions"], JOB["backoffLimit"]) == (1, 1, 0)
    assert cron["concurrencyPolicy"] == "Forbid"
    assert OBJECTS["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_a_minute_that_was_missed_is_caught_up_and_a_pass_ends_before_the_next() -> None:
    cron = OBJECTS["CronJob"]["spec"]
    assert cron["startingDeadlineSeconds"] >= 60
    assert cron["schedule"] == "*/5 * * * *"
    assert 60 < JOB["activeDeadlineSeconds"] < 5 * 60


def test_a_partial_pass_is_no_failed_job() -> None:
    (rule,) = JOB["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["operator"], rule["onExitCodes"]["values"]) == ("Ignore", "In", [3])
    assert rule["onExitCodes"]["containerName"] == PODS["CronJob"]["containers"][0]["name"]
    assert PODS["CronJob"]["restartPolicy"] == "Never", "which the policy asks for"


@each_pod
def test_a_pod_may_do_nothing_that_it_need_not(pod: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == ANY_USER_OF_GROUP_0
    assert context["fsGroup"] == context["runAsGroup"], "else it may not read its secrets, nor write its volume"
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@each_pod
def test_a_pod_has_settings_secrets_data_and_a_place_for_the_beat(pod: dict[str, Any]) -> None:
    mounts = {mount["name"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys() == {"data", "tmp", "settings", "secrets"}
    assert volumes["settings"]["configMap"] == {"name": OBJECTS["ConfigMap"]["metadata"]["name"], "defaultMode": 0o440}
    assert volumes["secrets"]["secret"] == {
        "secretName": OBJECTS["Secret"]["metadata"]["name"],
        "defaultMode": 0o440,
    }
    claim = OBJECTS["PersistentVolumeClaim"]["metadata"]["name"]
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": claim}
    assert mounts["settings"]["readOnly"] is mounts["secrets"]["readOnly"] is True
    assert (mounts["data"]["mountPath"], mounts["tmp"]["mountPath"]) == ("/data", "/tmp")
    assert pod["terminationGracePeriodSeconds"] > LONGEST_END_S
    assert pod["containers"][0]["resources"]["limits"].keys() == {"memory"}


def test_what_belongs_together_is_named_alike() -> None:
    """Names, numbers and times are text to kubernetes-validate: it takes any."""
    deployment = OBJECTS["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()
    assert JOB["template"]["metadata"]["labels"] == deployment["template"]["metadata"]["labels"]
    assert {pod["containers"][0]["image"] for pod in PODS.values()} == {"pollctl:latest"}
    assert ZoneInfo(OBJECTS["CronJob"]["spec"]["timeZone"])
    assert re.fullmatch(
        r"[1-9]\d*[KMGT]i", OBJECTS["PersistentVolumeClaim"]["spec"]["resources"]["requests"]["storage"]
    )


@each_pod
def test_a_pod_and_the_service_of_compose_may_take_the_same(pod: dict[str, Any]) -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["pollctl"]
    (container,) = pod["containers"]
    tmp = {volume["name"]: volume for volume in pod["volumes"]}["tmp"]["emptyDir"]
    assert container["resources"]["limits"]["memory"] == service["mem_limit"].upper() + "i"
    assert container["resources"]["requests"] == {"cpu": "50m", "memory": "128Mi"}
    assert (tmp["medium"], f"/tmp:size={tmp['sizeLimit'].removesuffix('i').lower()}") == ("Memory", service["tmpfs"][0])
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["image"].partition(":")[0] == service["image"]


def test_the_loop_lives_by_its_beat_and_begins_with_a_check(tmp_path: Path) -> None:
    (container,) = PODS["Deployment"]["containers"]
    assert container["args"] == ["loop", "--beat", "/tmp/beat"]
    assert container["startupProbe"]["exec"]["command"] == ["pollctl", "check"]
    startup, probe = container["startupProbe"], container["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 60, "a volume may come late"
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 60, "one late look is no dead loop"
    shell, flag, test = probe["exec"]["command"]
    assert (shell, flag) == ("/bin/sh", "-c")
    assert test in CONTAINERFILE.replace('\\"', '"'), "the probe of Docker and that of Kubernetes are one"
    beat = tmp_path / "beat"
    command = [shell, flag, test.replace("/tmp/beat", str(beat))]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    beat.touch()
    assert subprocess.run(command, check=False).returncode == 0
    subprocess.run(["touch", "--date", "5 minutes ago", str(beat)], check=True)
    assert subprocess.run(command, check=False).returncode == 1


def test_the_job_starts_what_is_due() -> None:
    assert PODS["CronJob"]["containers"][0]["args"] == ["due", "--run"]


@pytest.mark.parametrize("name", ["the ConfigMap", "beside compose.yaml"])
def test_the_settings_are_right_and_name_what_is_mounted(tmp_path: Path, name: str) -> None:
    shipped = {
        "the ConfigMap": OBJECTS["ConfigMap"]["data"]["config.toml"],
        "beside compose.yaml": (DEPLOY / "pollctl.toml").read_text(),
    }[name]
    secrets = PODS["Deployment"]["containers"][0]["volumeMounts"][3]["mountPath"]
    text = shipped.replace(secrets, str(tmp_path))
    for key, value in OBJECTS["Secret"]["stringData"].items():
        (tmp_path / key).write_text(value)
    path = tmp_path / "config.toml"
    path.write_text(text)
    loaded = settings.load(path)
    assert (str(loaded.core.database), list(loaded.enabled)) == ("/data/pollctl.db", ["latency"])


def test_a_check_of_a_volume_that_is_still_empty_is_no_failure(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.settings("[plugins.latency]")
    assert place.call("check").returncode == 0
    assert not place.database.exists()


# Compose


def test_compose_runs_it_as_kubernetes_does() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    service = compose["services"]["pollctl"]
    assert service["user"] == "{}:{}".format(*ANY_USER_OF_GROUP_0)
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp:size=16m"]
    assert service["volumes"] == ["data:/data", "./pollctl.toml:/etc/pollctl/config.toml:ro"]
    assert service["restart"] == "unless-stopped"
    assert float(service["stop_grace_period"].removesuffix("s")) > LONGEST_END_S
    assert compose["volumes"].keys() == {"data"}
    build = service["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert ROOT / build["dockerfile"] == DEPLOY / "Containerfile"
