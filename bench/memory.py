"""What a cloud at rest takes of its host's memory, by unit."""

from __future__ import annotations

import json
import time
from typing import Any

from lab_cloud import LabCloud
from record import show, tell

#: Seconds until what an installation leaves running has settled.
REST = 60
#: Runs on the host. Proportional sizes (PSS, see proc_pid_smaps_rollup(5)) count shared memory once.
ASK = r"""
import collections, glob, json, re
found = collections.Counter()
for path in glob.glob("/proc/[0-9]*/smaps_rollup"):
    try:
        size = int(re.search(r"^Pss: +([0-9]+)", open(path).read(), re.M)[1])
        group = open(path.replace("smaps_rollup", "cgroup")).read()
    except (OSError, TypeError):
        continue
    units = re.findall(r"([^/\n]+\.(?:service|scope))", group)
    found[units[-1] if units else "others"] += size
print(json.dumps(found))
"""


def at_rest(cloud: LabCloud) -> dict[str, Any]:
    """Return MiB by unit and in total, a minute after the last run."""
    tell(f"waiting {REST} s")
    time.sleep(REST)
    asked = cloud.host.run(["python3", "-"], stdin=ASK, check=True).stdout
    mebibytes = {unit: size / 1024 for unit, size in sorted(json.loads(asked).items(), key=lambda item: -item[1])}
    rows = [[unit, size] for unit, size in mebibytes.items() if size >= 20]
    total = sum(mebibytes.values())
    show("memory at rest (PSS)", ["unit", "MiB"], [*rows, ["all", total]])
    return {"total_mib": total, "units_mib": dict(rows)}
