"""Runs on a host, in the virtual environment of its release: lets oslo.config's own validator look at one file.

The one argument is JSON: ``path``, ``namespaces``, ``like`` (section to section, or to keystoneauth). What the
validator says is printed; nothing, if it found nothing.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from keystoneauth1 import loading
from oslo_config import cfg

PROGRAMS = Path(sys.executable).parent


def main(path, namespaces, like):
    chosen = [f"--namespace={name}" for name in namespaces]
    generated = subprocess.run(
        [PROGRAMS / "oslo-config-generator", "--format=yaml", *chosen], capture_output=True, text=True, check=True
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
