"""Storage that no lab has: what is written for it, read by the drivers of each release and by oslo.config's validator.

No host is needed: the release is installed from its lock into a folder of this machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.sections import HIDDEN
from roles.openstack.locks.remake import HERE as LOCKS
from roles.openstack.locks.remake import Inputs
from tests.lab.config_validator import FILES
from tests.lab.test_locks_install import UV, sync
from tests.unit.roles.test_cinder import CONFIGURATION, EVERYTHING
from tests.unit.roles.test_roles import cloud_of, content_of

HERE = Path(__file__).resolve().parent
CASES = yaml.safe_load((HERE / "backend_options.yaml").read_text())
#: Nothing listens at these, so that a driver which asks at once learns so at once.
NOBODY = {"CONFIG_CINDER_NETAPP_HOSTNAME": "127.0.0.1", "CONFIG_CINDER_SOLIDFIRE_HOSTNAME": "127.0.0.1"}
#: A configuration file, and which known sections those are like that the answer file names.
LIKE = {
    CONFIGURATION: dict.fromkeys(("ceph", "netapp", "gold", "silver", "solidfire"), "backend_defaults"),
    "/etc/glance/glance-api.conf": {"ceph": "glance.store.rbd.store"},
    "/etc/nova/nova-compute.conf": {},
}
WRONG = """\
[DEFAULT]
enabled_backends = old
[old]
volume_driver = cinder.volume.drivers.netapp.common.NetAppDriver
netapp_storage_protocol = iscsi
netapp_volume_list = a
netapp_vfiler = b
netapp_server_port = 80
"""

pytestmark = [pytest.mark.long, pytest.mark.shows("storage-drivers"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module", params=Inputs.load().releases)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of a release's virtual environment."""
    home = tmp_path_factory.mktemp("release") / "env"
    made = [
        version
        for version in ("3.11", "3.12", "3.13")
        if not home.exists()
        and not subprocess.run(
            [UV, "venv", "--quiet", "--no-python-downloads", "--python", version, home], check=False
        ).returncode
    ]
    if not made:
        pytest.skip("none of the Pythons that the release is for is on this machine")
    sync(home / "bin/python", request.param, LOCKS / f"{request.param}.txt")
    yield home / "bin/python"
    shutil.rmtree(home)


def written(case: dict[str, Any], path: str = CONFIGURATION) -> str:
    asks = {f"CONFIG_CINDER_{name}": text for name, text in case["asks"].items()}
    content = content_of(cloud_of(**{**EVERYTHING, **NOBODY, "CONFIG_GLANCE_BACKEND": "ceph", **asks}), path)
    assert isinstance(content, str)
    return content


def told(python: Path, *arguments: Path) -> Any:
    command = [python, "-W", "ignore", HERE / "read_options.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def read_by_drivers(python: Path, text: str, folder: Path) -> Any:
    path = folder / "cinder.conf"
    path.write_text(text)
    return told(python, path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_the_real_drivers_read_every_option_as_it_was_meant(python: Path, case: dict[str, Any], tmp_path: Path) -> None:
    found = read_by_drivers(python, written(case), tmp_path)
    assert found["problems"] == []
    assert found["read"] == case["reads"]


def test_what_any_driver_holds_for_secret_is_masked(python: Path) -> None:
    secret = told(python)
    assert {"san_password", "vast_api_token", "replication_device"} <= set(secret)
    assert [name for name in secret if not HIDDEN.search(name)] == []


def test_an_option_that_is_unknown_or_has_another_name_is_found(python: Path, tmp_path: Path) -> None:
    assert read_by_drivers(python, WRONG, tmp_path)["problems"] == [
        "old/netapp_volume_list is called netapp_pool_name_search_pattern",
        "old/netapp_vfiler is not known",
    ]


@pytest.mark.parametrize("path", LIKE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_the_validator_knows_every_key(python: Path, case: dict[str, Any], path: str, tmp_path: Path) -> None:
    file = tmp_path / "x.conf"
    file.write_text(written(case, path))
    declared = {"without": [], **FILES[path]}
    question = {**declared, "path": str(file), "like": {**declared["like"], **LIKE[path]}}
    command = [python, HERE / "validate_configuration.py", json.dumps(question)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr[-2000:]
