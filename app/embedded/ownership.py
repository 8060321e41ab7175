"""Who PostgreSQL runs as: it refuses root, so root runs it as ``nobody``, without ever widening the rights of a folder above."""

import os
import pwd
import stat
from pathlib import Path

#: where the files go when the data folder itself lies where ``nobody`` can't go (under /root, say)
SHARED_HOME = Path("/var/lib/headgate")


def unprivileged() -> tuple[int, int] | None:
    """(uid, gid) that PostgreSQL must run as, or None when we are an ordinary user and stay ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def can_reach(path: Path, owner: tuple[int, int], *, read: bool = False) -> bool:
    """True if ``owner`` may enter every folder on the way to ``path`` (and, with ``read``, list what is there)."""
    uid, gid = owner
    return all(_may(folder, uid, gid, read=read and folder == path) for folder in (path, *path.parents) if folder.exists())


def _may(folder: Path, uid: int, gid: int, *, read: bool) -> bool:
    status = folder.stat()
    wanted = stat.S_IXOTH | (stat.S_IROTH if read else 0)
    mode = status.st_mode
    if status.st_uid == uid:
        mode = mode >> 6
    elif status.st_gid == gid:
        mode = mode >> 3
    return mode & wanted == wanted
