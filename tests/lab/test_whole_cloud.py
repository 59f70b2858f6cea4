"""The whole cloud on one host: an instance that its owner logs in to, and what a run of pystack does to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from openstack.connection import Connection

from installer.outcome import Event
from tests.lab.command_line import Result
from tests.lab.conftest import AllInOne
from tests.lab.instances import Instance, Pinger, booted, connected
from tests.lab.sdk import QUIET
from tests.matrix.recording import Measured

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("whole-cloud"),
    pytest.mark.long,
    pytest.mark.timeout(2400),
    QUIET,
]
GIB = 1 << 30
#: What the services stand on, and no setting of a service restarts.
STORES = ("mariadb.service", "rabbitmq-server.service", "memcached.service")
BELOW = (*STORES, "haproxy.service", "ovn-controller.service", "ovs-vswitchd.service")


def install(cloud: AllInOne, *words: str) -> Result:
    done = cloud.operator.run("install", f"--answer-file={cloud.answer_file}", "--json", *words)
    assert done.code == 0, (done.out + done.err)[-4000:]
    return done


def changed(result: Result) -> set[str]:
    def is_change(event: Event) -> bool:
        return bool(event["event"] == "resource" and event["what"] == "changed")

    return without_waiting(event["resource"] for event in result.events if is_change(event))


def planned(cloud: AllInOne, *words: str) -> set[str]:
    done = cloud.operator.run("plan", f"--answer-file={cloud.answer_file}", "--json", *words)
    assert done.code in (0, 10), (done.out + done.err)[-4000:]
    return without_waiting(event["resource"] for event in done.events if event["event"] == "change")


def without_waiting(resources: Iterable[str]) -> set[str]:
    """Return what is not only waited for: an answer that comes when its unit has started may be there by chance."""
    return {resource for resource in resources if not resource.startswith("answering:")}


def starts(cloud: AllInOne) -> dict[str, str]:
    """Return of every unit of OpenStack which of its starts it is at, or that it does not run."""
    shown = f"systemctl show --property=Id,InvocationID,ActiveState 'openstack-*' {' '.join(BELOW)}"
    said = cloud.controller.run(shown, check=True).stdout
    units = [dict(line.split("=", 1) for line in part.splitlines()) for part in said.strip().split("\n\n")]
    return {unit["Id"]: unit["InvocationID"] if unit["ActiveState"] == "active" else "" for unit in units}


def restarted(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return which units stopped, started or restarted; HAProxy is told to read its file again, and stays."""
    return {unit for unit in {*before, *after} if before.get(unit, "") != after.get(unit, "")}


@pytest.fixture(scope="module")
def folder(all_in_one: AllInOne) -> Path:
    return all_in_one.clouds.parent


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Connection]:
    with connected(folder) as connection:
        yield connection


@pytest.fixture(scope="module")
def instance(demo: Connection, folder: Path) -> Iterator[Instance]:
    with booted(demo, folder, "t-instance") as made:
        yield made


@pytest.mark.shows("instances", "floating-addresses")
def test_the_owner_of_an_instance_logs_in_at_its_floating_address(instance: Instance) -> None:
    assert instance.run("hostname").stdout.startswith("t-instance")
    size = instance.run("cat /sys/class/block/vda/size").stdout
    assert int(size) * 512 == GIB


@pytest.mark.shows("instances")
def test_an_instance_finds_its_configuration_drive(demo: Connection, folder: Path) -> None:
    with booted(demo, folder, "t-drive", config_drive=True) as made:
        device = made.run("blkid -L config-2 -o device")
        assert device.stdout.strip() == "/dev/sr0", device.stderr
        said = demo.compute.get_server_console_output(made.id)["output"]
        assert "keys 1, from a configuration drive" in said


@pytest.mark.shows("instances", "second-run")
def test_a_second_run_changes_nothing_and_the_instance_does_not_notice(
    all_in_one: AllInOne, instance: Instance, measured: Measured
) -> None:
    before = starts(all_in_one)
    assert planned(all_in_one) == set()
    pinger = Pinger(instance.address)
    pinger.start()
    done = install(all_in_one)
    lost = pinger.stop()
    totals = done.event("summary")
    assert totals["changed"] == 0
    platform = all_in_one.controller.platform
    measured(platform, "whole-cloud", rerun_seconds=done.seconds, resources=totals["unchanged"])
    assert restarted(before, starts(all_in_one)) == set()
    assert lost == 0
    assert len(pinger.answered) > 10


@pytest.mark.parametrize(
    ("setting", "resources", "units"),
    [
        (
            "CONFIG_GLANCE_KS_PW=another 'password' of 200 characters" + "x" * 160,
            {"file:/etc/glance/glance-api.conf", "keystone-user:glance", "unit:openstack-glance-api.service"},
            {"openstack-glance-api.service"},
        ),
        (
            "CONFIG_SERVICE_WORKERS=3",
            None,
            None,
        ),
        (
            "CONFIG_HORIZON_INSTALL=n",
            {"file:/etc/haproxy/haproxy.cfg", "unit:haproxy.service", "unit:openstack-horizon.service"},
            {"openstack-horizon.service"},
        ),
    ],
    ids=["password", "workers", "service"],
)
def test_a_changed_setting_changes_what_reads_it_and_back(
    all_in_one: AllInOne, instance: Instance, setting: str, resources: set[str] | None, units: set[str] | None
) -> None:
    kept = all_in_one.answer_file.read_text()
    for words in (("--set", setting), ()):
        before = starts(all_in_one)
        wanted = planned(all_in_one, *words)
        done = install(all_in_one, *words)
        made = changed(done)
        again = restarted(before, starts(all_in_one))
        assert made == wanted
        assert again == {item.removeprefix("unit:") for item in made if item.startswith("unit:")} - {"haproxy.service"}
        if resources is not None:
            assert wanted == resources
        else:
            assert {item for item in wanted if not item.startswith(("file:", "unit:"))} == set()
            assert not set(BELOW) & again
        assert units is None or again == units
        assert planned(all_in_one, *words) == set()
    assert all_in_one.answer_file.read_text() == kept
    assert instance.run("true").returncode == 0


@pytest.mark.shows("instances", "reboot")
def test_after_a_reboot_everything_comes_back_by_itself_and_so_does_the_instance(
    all_in_one: AllInOne, instance: Instance
) -> None:
    all_in_one.controller.reboot()
    instance.wait()
    verified = all_in_one.operator.run("verify", f"--answer-file={all_in_one.answer_file}")
    assert verified.code == 0, (verified.out + verified.err)[-4000:]
    assert planned(all_in_one) == set()
