"""The locks, installed and imported: metadata alone does not tell whether a lock is complete.

Each Python is the one that PATH has; a Python that it does not have is skipped.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uv

from roles.openstack.locks.remake import CORE, HERE, Inputs

UV = uv.find_uv_bin()
INPUTS = Inputs.load()

# Lock to what the units and the installer start of it, and what these load by name only.
MODULES = {
    "core": """
    keystone.wsgi.api keystone.cmd.manage keystone.token.providers.fernet.core
    glance.wsgi.api glance.cmd.manage glance.api.v2.router glance_store._drivers.filesystem
    placement.wsgi.api placement.cmd.manage placement.deploy
    nova.wsgi.osapi_compute nova.wsgi.metadata nova.cmd.manage nova.cmd.compute nova.cmd.conductor
    nova.cmd.scheduler nova.cmd.novncproxy nova.api.openstack.compute.routes nova.virt.libvirt.driver
    neutron.wsgi.api neutron.db.migration.cli neutron.db.migration.models.head
    neutron.plugins.ml2.drivers.ovn.mech_driver.mech_driver neutron.agent.ovn.agent.ovn_neutron_agent
    neutron.services.ovn_l3.plugin
    cinder.wsgi.api cinder.cmd.manage cinder.cmd.scheduler cinder.cmd.volume cinder.api.v3.router
    openstack_dashboard.wsgi openstack_dashboard.settings
    openstackclient.shell osc_placement.http pymysql pymemcache memcache bmemcached
    oslo_messaging._drivers.impl_rabbit keystonemiddleware.auth_token os_brick.initiator.connector
    """,
    "heat": """
    heat.wsgi.api heat.wsgi.cfn heat.cmd.manage heat.cmd.engine heat.engine.service heat.engine.environment
    heat.api.openstack.v1 heat.api.cfn.v1 heat.api.aws.ec2token
    pymysql memcache oslo_messaging._drivers.impl_rabbit keystonemiddleware.auth_token
    """,
}

# Without its configuration a service gives up, some before they have imported all they need: that is no fault of the
# lock, and the reason why their routers and drivers are named above.
IMPORT = """
import importlib, sys
try:
    importlib.import_module(sys.argv[1])
except ImportError:
    raise
except BaseException:
    pass
"""

pytestmark = [pytest.mark.long, pytest.mark.shows("locks"), pytest.mark.timeout(900)]


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout + done.stderr


@pytest.fixture(params=["3.11", "3.12", "3.13"])
def python(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The interpreter of an empty virtual environment."""
    home = tmp_path / "env"
    command = [UV, "venv", "--quiet", "--no-python-downloads", "--python", request.param, home]
    if subprocess.run(command, check=False).returncode:
        pytest.skip(f"no Python {request.param} on this machine")
    yield home / "bin/python"
    shutil.rmtree(home)  # pytest would keep some 700 MB of each


def sync(python: Path, release: str, lock: Path, *options: str | Path) -> str:
    build = HERE / f"{release}-build.txt"
    return run(UV, "pip", "sync", "--python", python, "--require-hashes", "--build-constraints", build, lock, *options)


def import_error(python: Path, module: str) -> str:
    done = subprocess.run([python, "-W", "ignore", "-c", IMPORT, module], capture_output=True, text=True, check=False)
    return f"{module}: {done.stderr.splitlines()[-1]}" if done.returncode else ""


@pytest.mark.parametrize("lock", INPUTS.locks)
@pytest.mark.parametrize("release", INPUTS.releases)
def test_what_the_lock_installs_can_be_imported(python: Path, release: str, lock: str) -> None:
    sync(python, release, HERE / (f"{release}.txt" if lock == CORE else f"{release}-{lock}.txt"))
    run(UV, "pip", "check", "--python", python)
    with ThreadPoolExecutor(2) as pool:
        errors = pool.map(lambda module: import_error(python, module), MODULES[lock].split())
    assert [error for error in errors if error] == []
    assert run(python.parent / "uwsgi", "--version")


@pytest.mark.parametrize("release", INPUTS.releases)
def test_nothing_without_a_hash_takes_part_in_a_build(python: Path, release: str, tmp_path: Path) -> None:
    locked = (HERE / f"{release}.txt").read_text()
    built = "|".join(INPUTS.releases[release]["built"])
    lock = tmp_path / "built.txt"
    lock.write_text("".join(re.findall(rf"^(?:{built})==(?:.*\\\n)+.*\n", locked, re.M)))
    # uv takes build requirements that the build lock does not name without a word, hence this look at what it took.
    output = sync(python, release, lock, "--verbose", "--cache-dir", tmp_path / "cache")
    taken = set(re.findall(r"Installing build requirement: (\S+)", output))
    assert taken
    assert taken <= set(re.findall(r"^\S+==\S+", (HERE / f"{release}-build.txt").read_text(), re.M))
