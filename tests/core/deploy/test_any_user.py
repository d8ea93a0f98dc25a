"""pollctl as a container runs it, without the container: a user without a name, a read-only root, no capabilities (scale.md, rule 7).

Builders of images are rarely where tests run; a mount namespace of our own is.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from other_users import as_root

import pollctl
import pollctl_latency

pytestmark = [pytest.mark.slow, as_root, pytest.mark.timeout(120)]
USER = 1_000_680_000
FOLDERS = [
    sysconfig.get_paths()["purelib"],
    *(str(Path(one.__file__ or "").parents[1]) for one in (pollctl, pollctl_latency)),
]
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
MOUNTS = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/python /mnt/data /mnt/0 /mnt/1 /mnt/2
{binds}
mount -t tmpfs -o mode=2770,uid=0,gid=0 none /mnt/data
mount -t tmpfs -o mode=1777 none /tmp
mount -o remount,ro,bind /
mount -o remount,ro /mnt
cd /mnt/data
exec setpriv --reuid={user} --regid=0 --clear-groups --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs \\
    env -i HOME=/mnt/data PATH=/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH=/mnt/python/lib \\
    PYTHONPATH=/mnt/0:/mnt/1:/mnt/2 sh -c {life}
"""
LIFE = """
pollctl="/mnt/python/bin/{version} -m pollctl"
said() {{ echo "$1: $2"; }}
touch /etc/pollctl-was-here 2>/dev/null; said root $?
touch /mnt/pollctl-was-here 2>/dev/null; said mnt $?
cat > pollctl.toml <<END
[pollctl]
database = "pollctl.db"
[plugins.latency]
window = "0s"
END
chmod go-w pollctl.toml
$pollctl check; said check $?
$pollctl latency add 127.0.0.1:1 --cadence 1s; said add $?
$pollctl run latency; said run $?
$pollctl due --run; said due $?
$pollctl loop --beat /tmp/beat & loop=$!
until [ -e /tmp/beat ]; do sleep 0.1; done
kill -TERM $loop; wait $loop; said loop $?
stat -c '%n: %u %g' pollctl.db /tmp/beat
grep CapEff /proc/self/status
"""


def test_every_command_of_a_container_works_there(tmp_path: Path) -> None:
    if not shutil.which("setpriv") or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("needs setpriv and the right to unshare")
    places = [(sys.base_prefix, "python"), *((folder, str(number)) for number, folder in enumerate(FOLDERS))]
    binds = "\n".join(f"mount --bind {shlex.quote(folder)} /mnt/{name}" for folder, name in places)
    script = MOUNTS.format(binds=binds, user=USER, life=shlex.quote(LIFE.format(version=VERSION)))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    codes = dict(re.findall(r"^(\w+): (\d+)$", done.stdout, re.MULTILINE))
    assert codes == {"root": "1", "mnt": "1", "check": "0", "add": "0", "run": "0", "due": "0", "loop": "0"}, done
    assert f"pollctl.db: {USER} 0\n/tmp/beat: {USER} 0\n" in done.stdout
    assert re.search(r"CapEff:\s+0+$", done.stdout, re.MULTILINE)
