"""Who may have written a file, by its owner and mode: pollctl does not act by what a stranger may have written.

``due.fast_path`` has the plain cases of this rule once more, since it may import nothing; a test holds them together.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

ROOT = 0


def fault_of_file(path: Path, opened: os.stat_result, user: int | None = None) -> str:
    """Why nobody should act by what a file says, with its owner and mode and the remedy; empty when one may.

    It must belong to this user, to root, or on a read-only mount to the owner of its folder; and nobody else may write to it,
    save groups that are no strangers (see ``_may_group_write``). A link must belong to one of these users as well.

    Args:
        path: the file, as it is named.
        opened: the state of what was opened there.
        user: whose file it is to be; None: of who asks.

    Raises:
        OSError: its folder cannot be looked at.
    """
    real = Path(os.path.realpath(path))
    owners = {_user(user), ROOT, *_owner_of_read_only(real.parent)}
    link = path.lstat()
    if opened.st_uid not in owners:
        if _user(user) == ROOT:  # whose file it would become, for its owner's cron not to read any more
            return f"it belongs to {described(opened)}, and you are root: {_as(opened)}, or `chown` it if it is root's"
        return f"it belongs to {described(opened)}, neither to you nor to root: read it, then `chown` it to yourself"
    if link.st_uid not in owners:
        return f"the link belongs to {described(link)}, neither to you nor to root: name the file itself"
    if _may_others_write(opened, real.parent):
        return f"others may write to it: it belongs to {described(opened)}: read it, then `chmod go-w` it"
    return ""


def fault_of_folder(folder: Path, user: int | None = None) -> str:
    """Why files that a pass relies on are not safe in a folder: others may replace them; empty when they are.

    Raises:
        OSError: it cannot be looked at.
    """
    state = folder.stat()
    if state.st_mode & stat.S_ISVTX:
        return ""
    fault = _fault_of_holder(folder, state, user)
    return f"{fault}, or give it the sticky bit" if "`chmod" in fault else fault


def fault_of_code_folder(folder: Path) -> str:
    """Why nobody should run what lies in a folder: others may put something there; empty when one may.

    A sticky bit does not help, since it lets others add files. Nobody can where it is mounted read-only.

    Raises:
        OSError: it cannot be looked at.
    """
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return ""
    return _fault_of_holder(folder, folder.stat(), None)


def _fault_of_holder(folder: Path, state: os.stat_result, user: int | None) -> str:
    if state.st_uid not in (_user(user), ROOT):
        return f"it belongs to {described(state)}, neither to you nor to root, who may replace what lies in it"
    if _may_others_write(state, folder):
        return f"others may write to it and replace what lies in it: it belongs to {described(state)}; `chmod go-w` it"
    return ""


def refusal_to_write(database: Path) -> str:
    """Why this user must not write to a database, root neither, with the remedy; empty where he may.

    Files that somebody else makes beside it would lock its owner out. Its owner may write, and who may by its group:
    containers give their processes any uid, and one group.
    """
    try:
        state = database.stat()
    except OSError:  # not there yet, or told by whoever opens it
        return ""
    if state.st_uid == os.geteuid() or _may_write_by_group(state):
        return ""
    if _is_known(os.geteuid()):
        remedy = f"write to it as its owner: {_as(state)}"
    else:  # in a pod, where nobody can become its owner
        own = os.getegid()
        remedy = f"let your group have it: `chgrp {own} {database}; chmod 660 {database}`, which fsGroup: {own} of a pod does"
    return f"{database}: the database belongs to {described(state)}, and you are {_you()}; {remedy}"


def refusal_to_read(path: Path) -> str:
    """Whose a file is that this user must not read, with the remedy of a pod; empty where nobody can tell."""
    try:
        state = path.stat()
    except OSError:
        return ""
    remedy = "" if _is_known(os.geteuid()) else f"; fsGroup: {os.getegid()} of a pod makes what is mounted its group's"
    return f"it belongs to {described(state)}, and you are {_you()}{remedy}"


def may_write(path: Path, user: int) -> bool:
    """Whether a user may write to a file, or make files in a folder.

    For this user the kernel answers, which knows access lists too; for another, whom root asks about, owner and mode.

    Raises:
        OSError: it cannot be looked at.
    """
    if user == os.geteuid():
        return os.access(path, os.W_OK, effective_ids=True)
    state = path.stat()
    if user in (ROOT, state.st_uid):
        return user == ROOT or bool(state.st_mode & stat.S_IWUSR)
    return bool(state.st_mode & (stat.S_IWGRP if state.st_gid in _groups_of(user) else stat.S_IWOTH))


def name_of(uid: int) -> str:
    """The name of a user for commands such as chown(1); the number where there is no name."""
    return _name(uid) if _is_known(uid) else str(uid)


def _groups_of(uid: int) -> list[int]:
    import pwd

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return []
    return os.getgrouplist(entry.pw_name, entry.pw_gid)


def _as(state: os.stat_result) -> str:
    """The command that is run as the owner of a file."""
    owner = _name(state.st_uid) if _is_known(state.st_uid) else f"'#{state.st_uid}'"
    return f"`sudo -u {owner} pollctl ...`"


def _may_write_by_group(state: os.stat_result) -> bool:
    return bool(state.st_mode & stat.S_IWGRP) and state.st_gid in (os.getegid(), *os.getgroups())


def _user(user: int | None) -> int:
    return os.geteuid() if user is None else user


def _may_others_write(state: os.stat_result, folder: Path) -> bool:
    if state.st_mode & stat.S_IWOTH:
        return True
    return bool(state.st_mode & stat.S_IWGRP) and not _may_group_write(state.st_gid, folder)


def _may_group_write(gid: int, folder: Path) -> bool:
    """Whether a group that may write is no stranger.

    That is the user's own primary group (a umask of 002 gives it the right), gid 0 (root's; OpenShift runs everybody in it), and
    a group that *folder* hands on by its setgid bit to a member of it (Kubernetes does so with ``fsGroup``).
    """
    if gid in (os.getegid(), ROOT):
        return True
    state = folder.stat()
    return bool(state.st_mode & stat.S_ISGID) and state.st_gid == gid and gid in os.getgroups()


def _owner_of_read_only(folder: Path) -> list[int]:
    """The owner of a folder on a read-only mount, who put there what a container is given; nobody for others."""
    return [folder.stat().st_uid] if os.statvfs(folder).f_flag & os.ST_RDONLY else []


def described(state: os.stat_result) -> str:
    """Owner and mode of a file, as people say them."""
    return f"{_name(state.st_uid)} (uid {state.st_uid}, gid {state.st_gid}), mode {stat.S_IMODE(state.st_mode):04o}"


def _you() -> str:
    uid = os.geteuid()
    return _name(uid) if _is_known(uid) else f"uid {uid}, gid {os.getegid()}"


def _name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container, or a user that was deleted
        return "somebody"


def _is_known(uid: int) -> bool:
    return _name(uid) != "somebody"
