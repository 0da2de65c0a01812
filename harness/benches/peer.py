"""Counts what two tools said of one emulator in one minute: peer.py CREVASSE_REPORT REQUESTS SCHEMATHESIS_EVENTS REQUESTS

Of Crevasse: pairs of operation and requirement that deviate. Of schemathesis: pairs of operation and kind of failure, on operations that
the emulator has at all, since an operation that is not there deviates from nothing; without failures of requests that it took the
credentials from, since moto takes those for requests to S3. Requests are those that the emulator logged.
"""
import base64
import json
import sys

import yaml

CREDENTIALS = {"ST203", "ST401"}


def failures(events):
    """Operation, kind of failure and the body of the answer, of each check that failed."""
    for line in open(events):
        told = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case, checks in told.get("checks", {}).items():
            answer = (told["interactions"].get(case) or {}).get("response") or {}
            body = base64.b64decode((answer.get("content") or {}).get("$base64", ""))
            for failure in (check["failure_info"]["failure"] for check in checks if check["status"] == "failure"):
                yield failure["operation"], failure["code"], body


paths = yaml.safe_load(open("specs/glacier/openapi.yaml"))["paths"]
names = {f"{method.upper()} {path}": operation["operationId"] for path, item in paths.items() for method, operation in item.items() if isinstance(operation, dict) and "operationId" in operation}
report = json.load(open(sys.argv[1]))
ours, theirs = int(sys.argv[2]), int(sys.argv[4])
supported = {facts["name"] for facts in report["operations"] if facts["supported"]}
pairs = {(finding.get("operation"), rule) for finding in report["findings"] for rule in finding["requirements"]}
judged = sum(row["verdict"] in ("conforms", "deviates") for row in report["requirements"])
rate, other = ours / report["run"]["seconds"], theirs / 60
found = {(names.get(operation), code) for operation, code, body in failures(sys.argv[3]) if code not in CREDENTIALS and b"NoSuchBucket" not in body}
found = {(operation, code) for operation, code in found if operation in supported}
print(f"| pairs of operation and requirement that deviate, in a minute on moto: beside operation and kind of failure of schemathesis | {len(pairs)} in {report['summary']['causes']} causes, after {report['run']['seconds']:.0f} s; {judged} requirements were judged | {len(found)} | {len(pairs) / max(len(found), 1):.3g} |")
print(f"| requests per second there | {rate:.0f} | {other:.0f} | {rate / other:.3g} |")
for operation, code in sorted(found):
    print(f"  schemathesis: {operation} {code}", file=sys.stderr)
