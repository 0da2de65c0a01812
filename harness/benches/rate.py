"""Requests per second that a server answers, and the CPU time that server and client take for it, as shares of one core.

Usage: rate.py SERVER_PID wrk|mix|run|fuzz ENDPOINT CREVASSE FOLDER
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

from cpu import cpu_of

FUZZ = 60  # seconds
VERSION = "x-amz-glacier-version: 2012-06-01"


def command(mode, endpoint, crevasse, folder):
    """What asks, and how many requests it says it asked."""
    if mode in ("wrk", "mix"):
        said = lambda text: float(re.search(r"(\d+) requests in", text)[1])
        asked = {
            "wrk": ["-d8s", "-H", VERSION, f"{endpoint}/-/vaults/there"],
            "mix": ["-d30s", "-s", f"{os.path.dirname(__file__)}/mix.lua", endpoint, "--", f"{folder}/mix"],
        }[mode]
        return ["wrk", "-t1", "-c4", *asked], said
    report, corpus = f"{folder}/rate.json", f"{folder}/corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    work = {
        "run": ["-n", "3000", "--max-time", "15s", "--no-reproduce", "-q"],
        "fuzz": ["--corpus", corpus, "--max-time", f"{FUZZ}s"],
    }[mode]
    said = lambda _: json.load(open(report))["summary"]["exchanges"]
    return [crevasse, mode, "--endpoint", endpoint, *work, "--report", f"json={report}"], said


server, *rest = sys.argv[1:]
asking, requests = command(*rest)
before, begun = cpu_of(server), time.monotonic()
asker = subprocess.Popen(asking, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
if rest[0] == "fuzz":
    # When its time is up a night only tries again what it found, and mostly waits for jobs: that is cut off.
    threading.Timer(FUZZ, asker.send_signal, [signal.SIGINT]).start()
output, _ = asker.communicate()
seconds, served = time.monotonic() - begun, cpu_of(server) - before
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{requests(output) / seconds:.0f} {served / seconds:.2f} {(usage.ru_utime + usage.ru_stime) / seconds:.2f}")
