"""Requests per second of a run, and the CPU time that server and client took for it, as shares of one core.

Usage: rate.py CREVASSE ENDPOINT SERVER_PID REPORT
"""

import json
import os
import resource
import subprocess
import sys


def cpu_of(pid):
    """Seconds of CPU time that a process has taken so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


crevasse, endpoint, server, report = sys.argv[1:]
before = cpu_of(server)
command = [crevasse, "run", "--endpoint", endpoint, "-n", "3000", "--max-time", "15s", "--no-reproduce", "-q"]
subprocess.run([*command, "--report", f"json={report}"], stdout=subprocess.DEVNULL, check=False)
served = cpu_of(server) - before
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(report) as file:
    run = json.load(file)
seconds = run["run"]["seconds"]
print(
    f"{run['summary']['exchanges'] / seconds:.0f}",
    f"{served / seconds:.2f}",
    f"{(usage.ru_utime + usage.ru_stime) / seconds:.2f}",
)
