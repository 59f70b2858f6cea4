"""How the agent gets to a host: as source on standard input of one command. Runs on the controller."""

from __future__ import annotations

import base64
import functools
import json
import zlib

from installer.paths import ROOT

#: Folders whose modules travel.
TRAVELLERS = ("installer/agent", "installer/resources")
#: Ends whatever a login shell or sudo may have left unread on standard input.
BEGIN = b"pystack-source "

#: How the command ends on a host without Python 3.9 or later.
NO_PYTHON = 97
_PYTHONS = "python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 /usr/libexec/platform-python"
# A Python that is too old says so itself, with that code: looking first would cost another start of it.
_PICK = (
    f'for python in {_PYTHONS}; do command -v "$python" >/dev/null 2>&1 || continue; "$python" -I -c "$1"; code=$?;'
    f" test $code = {NO_PYTHON} || exit $code; done; exit {NO_PYTHON}"
)

#: Runs on the host with ``python3 -I``. Reads byte by byte up to the end of the source line, so that nothing of the
#: frames behind it is swallowed; then makes the modules importable and starts the loop.
STARTER = """
import base64, importlib.abc, importlib.util, json, os, sys, zlib
def line():
    found = bytearray()
    while True:
        byte = os.read(0, 1)
        if not byte: sys.exit(98)
        if byte == b"\\n": return bytes(found)
        found += byte
head = line()
while not head.startswith(b"pystack-source "): head = line()
left = int(head.split()[1]); parts = []
while left:
    part = os.read(0, min(left, 1 << 16))
    if not part: sys.exit(98)
    parts.append(part); left -= len(part)
modules = json.loads(zlib.decompress(b"".join(parts)))
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name in modules:
            return importlib.util.spec_from_loader(name, self, is_package=modules[name][0])
    def exec_module(self, module):
        exec(compile(modules[module.__name__][1], "<pystack>/" + module.__name__, "exec"), module.__dict__)
sys.meta_path.insert(0, Finder())
from installer.agent.main import main
main()
"""


def command() -> list[str]:
    """Return the command that starts the agent with the first Python that will do; code 97 when there is none."""
    packed = base64.b64encode(zlib.compress(STARTER.encode(), 9)).decode()
    starter = f"import base64,zlib;exec(zlib.decompress(base64.b64decode('{packed}')))"
    return ["/bin/sh", "-c", _PICK, "sh", f"import sys;sys.version_info>=(3,9)or sys.exit({NO_PYTHON});{starter}"]


@functools.cache
def source() -> bytes:
    """Return what is written to the agent's standard input first: a head line and all its modules."""
    modules = {"installer": (True, "")}
    for folder in TRAVELLERS:
        for path in sorted((ROOT / folder).glob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            package = parts[-1] == "__init__"
            if path.name == "bootstrap.py":
                continue
            modules[".".join(parts[:-1] if package else parts)] = (package, path.read_text())
    packed = zlib.compress(json.dumps(modules).encode(), 9)
    return BEGIN + str(len(packed)).encode() + b"\n" + packed
