"""Run a program that dies with the process that started it.

    python -I -S leash.py <pid of the starter> program argument…

On Linux the kernel is asked to kill this process when its starter dies, even by SIGKILL; the wish
outlives the exec. Elsewhere the program merely runs. It is a program of its own, and not a function
between fork and exec, because a supervisor with threads may not run Python code there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(starter: int, command: list[str]) -> None:
    """Put the leash on and become the program; ends at once when the starter is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != starter:
        raise SystemExit(1)
    os.execv(command[0], command)  # noqa: S606 - the command comes from the supervisor, never from outside


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
