"""Requests per second that a server answers, and the CPU time that server and client take for it, as shares of one core.

Requests are those that the server logged, since who asks does not count all, or else those that the client counts.

Usage: rate.py SERVER_PID LOG wrk|mix|run|fuzz[:SECONDS] ENDPOINT CREVASSE FOLDER
with the headers that make a request one of Glacier, a line each, in GLACIER_HEADERS
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

from cpu import cpu_of

HEADERS = [word for header in os.environ["GLACIER_HEADERS"].splitlines() for word in ("-H", header)]


def logged(log):
    """Requests in the log of a server."""
    with open(log, "rb") as lines:
        return sum(b" HTTP/1" in line for line in lines)


def command(mode, seconds, endpoint, crevasse, folder):
    """What asks, and how many requests it says it asked, in how many seconds where it says so."""
    if mode in ("wrk", "mix"):
        said = lambda text: map(float, re.search(r"(\d+) requests in ([\d.]+)s", text).groups())
        asked = {
            "wrk": ["-t1", "-c4", *HEADERS, f"{endpoint}/-/vaults/there"],
            "mix": ["-t8", "-c8", "-s", f"{os.path.dirname(__file__)}/mix.lua", endpoint, "--", f"{folder}/mix"],
        }[mode]
        return ["wrk", f"-d{seconds}s", *asked], said
    report, corpus = f"{folder}/rate.json", f"{folder}/corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    work = {
        "run": ["-n", "3000", "--max-time", f"{seconds}s", "--no-reproduce", "-q"],
        "fuzz": ["--corpus", corpus, "--max-time", f"{seconds}s"],
    }[mode]
    said = lambda _: (json.load(open(report))["summary"]["exchanges"], 0)
    return [crevasse, mode, "--endpoint", endpoint, *work, "--report", f"json={report}"], said


SECONDS = {"wrk": 8, "mix": 20, "run": 15, "fuzz": 60}
server, log, asked, *rest = sys.argv[1:]
mode, _, given = asked.partition(":")
seconds = int(given or SECONDS[mode])
asking, said = command(mode, seconds, *rest)
already, before, begun = logged(log), cpu_of(server), time.monotonic()
asker = subprocess.Popen(asking, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
if mode == "fuzz":
    # When its time is up a night only tries again what it found, and mostly waits for jobs: that is cut off.
    time.sleep(seconds)
    answered, took = logged(log) - already, time.monotonic() - begun
    asker.send_signal(signal.SIGINT)
output, _ = asker.communicate()
whole, served = time.monotonic() - begun, cpu_of(server) - before
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
asks = usage.ru_utime + usage.ru_stime
counted, meanwhile = said(output)
if mode != "fuzz":
    answered, took = logged(log) - already, meanwhile or whole
print(f"{(answered or counted) / took:.0f} {served / whole:.2f} {asks / whole:.2f}")
