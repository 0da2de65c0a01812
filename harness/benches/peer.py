"""Counts what two tools said of one emulator in one minute: peer.py CREVASSE_REPORT REQUESTS SCHEMATHESIS_OUTPUT REQUESTS

Of Crevasse: requirements that deviate, and causes. Of schemathesis: kinds of failure on operations that the emulator has at all,
since an operation that is not there deviates from nothing. Requests are those that the emulator logged.
"""
import json
import re
import sys

import yaml

paths = yaml.safe_load(open("specs/glacier/openapi.yaml"))["paths"]
names = {f"{method.upper()} {path}": operation["operationId"] for path, item in paths.items() for method, operation in item.items() if isinstance(operation, dict) and "operationId" in operation}
report = json.load(open(sys.argv[1]))
ours, lines, theirs = int(sys.argv[2]), open(sys.argv[3]).read(), int(sys.argv[4])
supported = {facts["name"] for facts in report["operations"] if facts["supported"]}
pairs = {(finding.get("operation"), rule) for finding in report["findings"] for rule in finding["requirements"]}
deviating = sum(row["verdict"] == "deviates" for row in report["requirements"])
rate, other = ours / report["run"]["seconds"], theirs / 60

found = set()
for block in re.split(r"^_{3,} ", lines, flags=re.M)[1:]:
    operation = names.get(re.match(r"(.+?) _", block).group(1))
    if operation not in supported:
        continue
    found |= {(operation, code) for code in re.findall(r"^- (ST\d+)", block, flags=re.M)}
operations = {operation for operation, _ in found}
print(f"| requirements that deviate, in a minute on moto: beside failures of schemathesis by operation and kind | {deviating} in {report['summary']['causes']} causes | {len(found)} on {len(operations)} operations | {deviating / max(len(found), 1):.3g} |")
print(f"| the same by operation and rule: beside operation and kind | {len(pairs)} | {len(found)} | {len(pairs) / max(len(found), 1):.3g} |")
print(f"| requests per second there | {rate:.0f} | {other:.0f} | {rate / other:.3g} |")
