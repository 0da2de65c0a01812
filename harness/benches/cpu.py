"""CPU time of processes."""

import os


def cpu_of(pid):
    """Seconds of CPU time that a process has taken so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
