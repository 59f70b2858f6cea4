from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from installer.agent.host import Host
from installer.resources.base import Unknown, from_wire, to_wire
from installer.resources.keystone import Endpoint, Project, RoleAssignment, Service
from installer.resources.keystone_api import KeystoneApi, login
from installer.resources.keystone_bootstrap import Bootstrap, identity_interfaces
from installer.resources.secret import Secret

API = KeystoneApi("https://cloud.example.org:5000/v3", Secret("pw"))


class Lists(Host):
    """A host that remembers lists of Keystone already, as if it had asked."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        super().__init__()
        for collection, entities in lists.items():
            self._memory[f"keystone {API.url} {API.user} list {collection}"] = (entities, None)


GLANCE = {"id": "s1", "type": "image", "name": "glance", "enabled": True}


def endpoint(**values: Any) -> dict[str, Any]:
    found = {"interface": "public", "region_id": "R", "service_id": "s1", "url": "http://a", "enabled": True}
    return {**found, **values}


@pytest.mark.parametrize(
    ("there", "state"),
    [
        ([], None),
        ([endpoint()], {"url": "http://a", "enabled": True}),
        ([endpoint(interface="admin"), endpoint(region_id="S"), endpoint(service_id="other")], None),
        ([endpoint(url="http://b"), endpoint()], {"url": "http://a", "enabled": True}),
        ([endpoint(url="http://b")], {"url": "http://b", "enabled": True}),
    ],
    ids=["none", "the one", "others' only", "the right one of two", "another address"],
)
def test_an_endpoint_is_known_by_type_interface_and_region(there: list[dict[str, Any]], state: Any) -> None:
    wanted = Endpoint(API, "image", "public", "http://a", "R")
    assert Endpoint.query([wanted], Lists(services=[GLANCE], endpoints=there)) == {wanted.id: state}


@pytest.mark.parametrize(
    ("there", "right"),
    [([], True), ([endpoint(enabled=False, url="http://b")], True), ([endpoint()], False)],
    ids=["none", "disabled", "enabled"],
)
def test_an_endpoint_that_clients_must_not_be_told_of_need_not_exist(there: list[dict[str, Any]], right: bool) -> None:
    wanted = Endpoint(API, "image", "public", "http://a", "R", enabled=False)
    (state,) = Endpoint.query([wanted], Lists(services=[GLANCE], endpoints=there)).values()
    assert (state == wanted.expected()) is right


def test_a_service_of_the_same_type_with_another_name_is_the_service() -> None:
    wanted = Service(API, "image", "glance")
    found = Service.query([wanted], Lists(services=[{**GLANCE, "name": "images"}]))
    assert found == {wanted.id: {"name": "images", "enabled": True}}


def test_a_project_of_the_same_name_in_another_domain_is_another_project() -> None:
    host = Lists(
        domains=[{"id": "d1", "name": "heat"}], projects=[{"name": "service", "domain_id": "d1", "enabled": True}]
    )
    ours, theirs = Project(API, "service"), Project(API, "service", domain="heat")
    nowhere = Project(API, "service", domain="nowhere")
    assert Project.query([ours, theirs, nowhere], host) == {
        ours.id: None,
        theirs.id: {"enabled": True},
        nowhere.id: None,
    }


def test_an_inherited_role_is_not_a_role_on_the_project_itself() -> None:
    def assignments(scope: dict[str, Any]) -> Lists:
        return Lists(
            users=[{"id": "u", "name": "glance", "domain_id": "default"}],
            roles=[{"id": "r", "name": "admin", "domain_id": None}, {"id": "x", "name": "admin", "domain_id": "d"}],
            projects=[{"id": "p", "name": "service", "domain_id": "default"}],
            role_assignments=[
                {"group": {"id": "u"}, "role": {"id": "r"}, "scope": scope},
                {"user": {"id": "u"}, "role": {"id": "r"}, "scope": scope},
            ],
        )

    wanted = RoleAssignment(API, "glance", "admin", project="service")
    direct = assignments({"project": {"id": "p"}})
    inherited = assignments({"project": {"id": "p"}, "OS-INHERIT:inherited_to": "projects"})
    assert RoleAssignment.query([wanted], direct) == {wanted.id: wanted.expected()}
    assert RoleAssignment.query([wanted], inherited) == {wanted.id: None}
    system = RoleAssignment(API, "glance", "admin")
    assert RoleAssignment.query([system], assignments({"system": {"all": True}})) == {system.id: system.expected()}
    stranger = RoleAssignment(API, "nobody", "admin", project="service")
    assert RoleAssignment.query([stranger], direct) == {stranger.id: None}


def test_a_login_without_scope_asks_for_none() -> None:
    body = login("u", "d", Secret('p"☃'), None)
    assert body["auth"]["scope"] == "unscoped"
    assert body["auth"]["identity"]["password"]["user"] == {"name": "u", "domain": {"id": "d"}, "password": 'p"☃'}


class Gone(BaseHTTPRequestHandler):
    asked = 0

    def do_POST(self) -> None:
        Gone.asked += 1
        self.send_error(503)

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def gone() -> Iterator[KeystoneApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Gone.asked = 0
    yield KeystoneApi(f"http://127.0.0.1:{server.server_port}/v3", Secret("pw"))
    server.shutdown()
    server.server_close()


def test_a_keystone_that_is_not_there_is_asked_once_for_all_of_a_run(gone: KeystoneApi) -> None:
    host = Host()
    states = Project.query([Project(gone, "a"), Project(gone, "b")], host)
    states.update(Service.query([Service(gone, "image", "glance")], host))
    assert all(isinstance(state, Unknown) and "does not answer yet: 503" in state.reason for state in states.values())
    assert Gone.asked == 1


def test_the_interfaces_of_keystone_are_found_in_the_catalogue_of_a_token() -> None:
    both = [{"interface": "public", "region_id": "R"}, {"interface": "admin", "region_id": "S"}]
    token = {"catalog": [{"type": "image", "endpoints": both}, {"type": "identity", "endpoints": both}]}
    assert identity_interfaces(token, "R") == ("public",)
    assert identity_interfaces({}, "R") == ()


def test_bootstrap_hands_every_value_on_as_it_is() -> None:
    nasty = "-a'b\"c\\d$(x)%s\n☃ "
    arguments = Bootstrap(API._replace(password=Secret(nasty)), "R", "/v/bin/python", "keystone").arguments()
    assert arguments[:2] == ["keystone-manage", "bootstrap"]
    assert f"--bootstrap-password={nasty}" in arguments
    assert json.loads(json.dumps(arguments)) == arguments


def test_an_entity_with_its_keystone_crosses_the_wire() -> None:
    project = Project(API, "service")
    assert from_wire(to_wire(project)) == project
    assert project.reads_secrets() == [API.password]
