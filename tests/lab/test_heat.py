"""Orchestration, switched on in an installed cloud and off again: stacks of the demo user, and how they go on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from openstack.connection import Connection

from installer.outcome import Event
from tests.lab import config_validator
from tests.lab.command_line import Result
from tests.lab.conftest import AllInOne
from tests.lab.instances import connected
from tests.lab.sdk import QUIET

pytestmark = [pytest.mark.lab, pytest.mark.shows("orchestration"), pytest.mark.long, pytest.mark.timeout(2400), QUIET]

ON = ("--set", "CONFIG_HEAT_INSTALL=y")
UNITS = tuple(f"openstack-heat-{name}.service" for name in ("api", "api-cfn", "engine"))
#: Seconds until a small stack is complete, on a busy machine.
PATIENCE = 180

NETWORK = {
    "heat_template_version": "2021-04-16",
    "resources": {
        "network": {"type": "OS::Neutron::Net", "properties": {"name": "t-stack"}},
        "subnet": {
            "type": "OS::Neutron::Subnet",
            "properties": {"network": {"get_resource": "network"}, "cidr": "10.99.0.0/24"},
        },
    },
    "outputs": {"id": {"value": {"get_resource": "network"}}},
}
#: Complete when somebody has told so at the address that it gives out.
WAITING = {
    "heat_template_version": "2021-04-16",
    "resources": {
        "handle": {"type": "AWS::CloudFormation::WaitConditionHandle"},
        "condition": {
            "type": "AWS::CloudFormation::WaitCondition",
            "properties": {"Handle": {"get_resource": "handle"}, "Timeout": str(PATIENCE)},
        },
    },
    "outputs": {
        "address": {"value": {"get_resource": "handle"}},
        "told": {"value": {"get_attr": ["condition", "Data"]}},
    },
}


def run(cloud: AllInOne, verb: str, *words: str) -> Result:
    done = cloud.operator.run(verb, f"--answer-file={cloud.answer_file}", "--json", *words, timeout=1800)
    assert done.code in (0, 10), (done.out + done.err)[-4000:]
    return done


def planned(cloud: AllInOne, *words: str) -> set[str]:
    return {event["resource"] for event in run(cloud, "plan", *words).events if event["event"] == "change"}


def changed(result: Result) -> set[str]:
    def is_change(event: Event) -> bool:
        return bool(event["event"] == "resource" and event["what"] == "changed")

    return {event["resource"] for event in result.events if is_change(event)}


@pytest.fixture(scope="module")
def cloud(all_in_one: AllInOne) -> AllInOne:
    """The whole cloud, with Heat from the first test to the last."""
    run(all_in_one, "install", *ON)
    return all_in_one


@pytest.fixture(scope="module")
def demo(cloud: AllInOne) -> Iterator[Connection]:
    with connected(cloud.clouds.parent) as connection:
        yield connection


@contextmanager
def stack(connection: Connection, name: str, template: dict[str, Any]) -> Iterator[Any]:
    """Yield a stack as it begins to be made, and remove it in the end."""
    made = connection.orchestration.create_stack(name=name, template=template)
    try:
        yield made
    finally:
        connection.orchestration.delete_stack(made)
        connection.orchestration.wait_for_delete(made, wait=PATIENCE)


def complete(connection: Connection, made: Any) -> dict[str, Any]:
    """Wait until a stack is complete, and return its outputs."""
    connection.orchestration.wait_for_status(made, "CREATE_COMPLETE", ["CREATE_FAILED"], wait=PATIENCE)
    return outputs(connection, made)


def outputs(connection: Connection, made: Any) -> dict[str, Any]:
    found = connection.orchestration.get_stack(made.id).outputs or ()
    return {item["output_key"]: item["output_value"] for item in found}


def test_a_stack_makes_what_its_template_says_and_takes_it_away(demo: Connection) -> None:
    with stack(demo, "t-network", NETWORK) as made:
        network = demo.network.get_network(complete(demo, made)["id"])
        assert network.name == "t-stack"
        (subnet,) = demo.network.subnets(network_id=network.id)
        assert subnet.cidr == "10.99.0.0/24"
    assert demo.network.find_network("t-stack") is None
    assert demo.orchestration.find_stack("t-network") is None


def test_a_stack_goes_on_when_it_is_told_to_by_way_of_the_cloudformation_api(cloud: AllInOne, demo: Connection) -> None:
    # Heat makes a user of the stack in its domain, whose key signs the address; Keystone checks the signature.
    with stack(demo, "t-waiting", WAITING) as made:
        address = _address(demo, made)
        assert address.startswith(f"https://{cloud.controller.address}:8000/v1/waitcondition/")
        word = {"Status": "SUCCESS", "Reason": "done", "UniqueId": "one", "Data": "words of an instance"}
        wrong = requests.put(f"{address}x", json=word, verify=str(cloud.authority), timeout=60)
        assert wrong.status_code == 403
        right = requests.put(address, json=word, verify=str(cloud.authority), timeout=60)
        assert right.status_code == 200, right.text
        assert json.loads(complete(demo, made)["told"]) == {"one": "words of an instance"}


def _address(connection: Connection, made: Any) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        address = str(outputs(connection, made).get("address"))
        # Before the address is made, Heat gives out the name of the resource in its place.
        if ":" in address:
            return address
        assert time.monotonic() < deadline, address
        time.sleep(1)


def test_no_key_of_its_configuration_is_unknown_or_deprecated(cloud: AllInOne) -> None:
    assert config_validator.problems(cloud.controller, "/etc/heat/heat.conf") == ""


def test_the_commands_of_the_cloud_are_as_quiet_as_without_it(cloud: AllInOne) -> None:
    asked = cloud.controller.run("bash -c '. /root/keystonerc_admin; /opt/pystack/*[0-9]/bin/openstack token issue'")
    assert asked.returncode == 0
    assert asked.stderr == ""


@pytest.mark.shows("second-run")
def test_a_second_run_changes_nothing(cloud: AllInOne) -> None:
    assert planned(cloud, *ON) == set()
    assert changed(run(cloud, "install", *ON)) == set()


def test_switched_off_it_stops_and_leaves_the_catalogue_and_nothing_else_changes(cloud: AllInOne) -> None:
    wanted = planned(cloud)
    assert {item for item in wanted if not item.startswith("keystone-endpoint:")} == {
        "file:/etc/haproxy/haproxy.cfg",
        "unit:haproxy.service",
        *(f"unit:{unit}" for unit in UNITS),
    }
    assert {item.split()[0] for item in wanted if item.startswith("keystone-endpoint:")} == {
        "keystone-endpoint:orchestration",
        "keystone-endpoint:cloudformation",
    }
    assert changed(run(cloud, "install")) == wanted
    for unit in UNITS:
        assert cloud.controller.run(["systemctl", "is-active", unit]).stdout.strip() == "inactive", unit
    assert planned(cloud) == set()
