"""Wall time of a standard run beside the slowest chain of its jobs, played alone, and the CPU time that the server takes for the run.

Usage: waiting.py SERVER_PID ENDPOINT CREVASSE FOLDER
"""

import glob
import json
import shutil
import subprocess
import sys
import time

from cpu import cpu_of

server, endpoint, crevasse, folder = sys.argv[1:]


def timed(*words):
    """Seconds that a command takes."""
    begun = time.monotonic()
    subprocess.run([crevasse, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def steps(scenario):
    """The jobs that a scenario in the text of the journal waits for."""
    return scenario.count("AwaitJob")


runs = f"{folder}/waiting"
shutil.rmtree(runs, ignore_errors=True)
before = cpu_of(server)
wall = timed("run", "--endpoint", endpoint, "--run-dir", runs, "--no-reproduce", "-q")
served = cpu_of(server) - before
[journal] = glob.glob(f"{runs}/*/journal.jsonl")
cases = [line["case"] for line in map(json.loads, open(journal)) if "scenario" in line.get("case", {})]
longest = sorted(cases, key=lambda case: -steps(case["scenario"]))[:5]
chain = 0
for case in longest:
    path = f"{folder}/chain.yaml"
    open(path, "w").write(case["scenario"])
    chain = max(chain, timed("replay", path, "--endpoint", endpoint))
print(f"{wall:.1f} {chain:.1f} {served:.1f}")
