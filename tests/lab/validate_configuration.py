"""Runs on a host, in the virtual environment of its release: lets oslo.config's own validator look at one file.

The one argument is JSON: ``path``, ``namespaces``, ``like`` (section to section, or to keystoneauth), ``without``
(modules that are missing). What the validator says is printed; nothing, if it found nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from keystoneauth1 import loading
from oslo_config import cfg

PROGRAMS = Path(sys.executable).parent
#: Read by Python at its start: lets modules that are missing be imported, with whatever is looked for in them.
STAND_INS = """
import importlib.abc, importlib.machinery, sys, unittest.mock
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        known = name.partition(".")[0] in {names!r}
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None
    def create_module(self, spec):
        return unittest.mock.MagicMock(__path__=[])
    def exec_module(self, module):
        pass
sys.meta_path.append(Finder())
"""


def main(path, namespaces, like, without):
    chosen = [f"--namespace={name}" for name in namespaces]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(STAND_INS.replace("{names!r}", repr(without)))
        generated = subprocess.run(
            [PROGRAMS / "oslo-config-generator", "--format=yaml", *chosen],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": folder},
        )
    known = yaml.safe_load(generated.stdout)
    for section, other in like.items():
        own = known["options"].setdefault(section, {"opts": []})["opts"]
        own += of_a_login() if other == "keystoneauth" else known["options"][other]["opts"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as stream:
        yaml.safe_dump(known, stream)
        stream.flush()
        validator = [PROGRAMS / "oslo-config-validator", f"--opt-data={stream.name}", f"--input-file={path}"]
        done = subprocess.run([*validator, "--fatal-warnings"], capture_output=True, text=True)
    said = done.stdout + done.stderr
    # The validator gives up on keystone_authtoken, all of whose options are known here.
    if done.returncode or "Ignoring missing option" in said:
        print(said)
    for section, option in going_away(path, known["options"]):
        print(f"{section}/{option} will be removed by a later release")


def going_away(path, known):
    sections = {}
    cfg.ConfigParser(path, sections).parse()
    for section, options in sections.items():
        for option in known.get(section, {"opts": []})["opts"]:
            if option.get("deprecated_for_removal") and {option["name"], option.get("dest")} & set(options):
                yield section, option["name"]


def of_a_login():
    options = [
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options("password"),
        *loading.get_session_conf_options(),
        *loading.get_adapter_conf_options(),
    ]
    return [{"name": option.name, "dest": option.dest} for option in options]


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
