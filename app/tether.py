"""Ties a process to the one that started it, then becomes the real command: no supervisor, no children.

Run by path with ``python -I -S tether.py PARENT SIGNAL UID GID COMMAND...``, so it may import nothing but the standard library.
UID and GID are ``-`` to stay who we are. The order matters: changing the user clears the parent-death signal, so it is set last.
"""

import ctypes
import os
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str], *, orphaned: int, owner: tuple[int, int] | None = None) -> list[str]:
    """The command that gets the signal ``orphaned`` when the thread that starts it ends; ``owner`` is (uid, gid) to run as."""
    uid, gid = (str(part) for part in owner) if owner else ("-", "-")
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(orphaned)), uid, gid, *command]


def main(arguments: list[str]) -> None:
    """Give up root if asked to, ask the kernel for ``SIGNAL`` at the parent's death, and exec ``COMMAND``."""
    parent, signal_number, uid, gid, *command = arguments
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != int(parent):
            sys.exit("headgate: the supervisor ended before this process began")
    os.execv(command[0], command)  # noqa: S606  # becoming the command without a shell is the whole point


if __name__ == "__main__":
    main(sys.argv[1:])
