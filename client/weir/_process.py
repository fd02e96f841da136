"""Who this process is: its host, its user, when it was born, and ids for its producers."""

import getpass
import os
import socket
import sys
from pathlib import Path


def host_name() -> str:
    """Return the machine's name as the network knows it; `localhost` when it has none."""
    return socket.gethostname() or "localhost"


def user_name() -> str:
    """Return the login name, or the numeric user id where there is no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def program_name() -> str:
    """Return what was started: `sys.argv[0]`, without the arguments."""
    return sys.argv[0] if getattr(sys, "argv", None) else ""


def process_started_s(pid: int) -> float:
    """Return the creation time of a process, Unix seconds, exactly as psutil tells it.

    On Linux read from /proc, because importing psutil costs the training process 4 MB.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        ticks = float(stat.rpartition(")")[2].split()[19])
        boot_s = next(
            float(line.split()[1])
            for line in Path("/proc/stat").read_text().splitlines()
            if line.startswith("btime")
        )
        return ticks / os.sysconf("SC_CLK_TCK") + boot_s
    except (OSError, ValueError, IndexError, StopIteration):
        import psutil

        return float(psutil.Process(pid).create_time())


def process_birth(pid: int) -> str:
    """Return what tells a process from all others that had or will have its pid: boot and ticks.

    Unlike a time of day it stays the same when the clock is set. "" where nobody tells (only Linux
    does), or when there is no such process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{stat.rpartition(')')[2].split()[19]}"
    except (OSError, IndexError):
        return ""


def new_producer(unix_us: int) -> bytes:
    """Return 16 bytes, a UUIDv7: 48 bits of birth in Unix ms, then randomness."""
    random = int.from_bytes(os.urandom(10), "big")
    number = (unix_us // 1000) << 80 | random
    number = number & ~(0xF << 76) | 0x7 << 76  # version 7
    number = number & ~(0x3 << 62) | 0x2 << 62  # variant
    return number.to_bytes(16, "big")
