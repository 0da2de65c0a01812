"""Seconds that one package took of a build with `--timings`: unit.py TARGET_FOLDER PACKAGE"""

import json
import re
import sys

text = open(f"{sys.argv[1]}/cargo-timings/cargo-timing.html").read()
units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\]);", text, re.S)[1])
print(sum(unit["duration"] for unit in units if unit["name"] == sys.argv[2]))
