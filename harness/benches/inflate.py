"""Repeats the findings of a report until there are so many: inflate.py REPORT FINDINGS INTO"""

import itertools
import json
import sys

report, many = json.load(open(sys.argv[1])), int(sys.argv[2])
causes = {cause["id"]: cause for cause in report["causes"]}
for cause in causes.values():
    cause["findings"] = []
findings = []
for number, finding in zip(range(1, many + 1), itertools.cycle(report["findings"])):
    finding = {**finding, "id": f"F{number}", "fingerprint": f"{number:032x}"}
    causes[finding["cause"]]["findings"].append(finding["id"])
    findings.append(finding)
report["findings"] = findings
report["causes"] = [cause for cause in causes.values() if cause["findings"]]
json.dump(report, open(sys.argv[3], "w"))
