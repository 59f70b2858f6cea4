"""Which ports are opened in the firewalls that hosts have, and to whom."""

from __future__ import annotations

import re
from pathlib import Path

from installer import ports
from installer.plan import build
from installer.resources.firewall_port import FirewallPort
from installer.roles import all_roles, openings_of
from tests.unit.roles.test_roles import cloud_of, content_of, resources_of

HOSTS = ("192.0.2.10", "192.0.2.11")
INTERFACES = {"eth0": ["192.0.2.10/24", "192.0.2.11/24"], "eth1": ["198.51.100.7/24"]}
GUIDE = Path(__file__).parents[3] / "docs/operators-guide.md"


def facts(manager, **zones):
    firewall = {"manager": manager, "default_zone": "public", "zones": {"public": {"interfaces": [], "sources": []}}}
    firewall["zones"].update(zones)
    return {"firewall": firewall, "interfaces": INTERFACES, "kernel_openvswitch": True}


def opened(cloud, host):
    return {item.name: item for item in resources_of(cloud, host, "firewall") if isinstance(item, FirewallPort)}


def test_without_firewalld_and_ufw_nothing_is_opened():
    assert not any(step.name == "firewall" for step in build(cloud_of(facts=facts("")), all_roles()))


def test_users_come_to_apis_and_other_hosts_to_the_rest_on_the_controller():
    cloud = cloud_of(HOSTS, facts=facts("firewalld"))
    found = opened(cloud, cloud.hosts[0])
    assert found["5000/tcp"] == FirewallPort("firewalld", "5000", "tcp", (), ("public",))
    assert found["3306/tcp"] == FirewallPort("firewalld", "3306", "tcp", ("192.0.2.11",), ("public",))
    assert {name for name, item in found.items() if not item.sources} == {
        f"{port}/tcp" for port in (80, 443, 5000, 6080, 8000, 8004, 8774, 8776, 8778, 9292, 9696)
    }
    assert set(opened(cloud, cloud.hosts[1])) == {"6081/udp", "5900-6155/tcp"}
    assert not {"11211/tcp", "6640/tcp", "4369/tcp", "25672/tcp"} & set(found)


def test_a_cloud_of_one_host_lets_users_in_and_nobody_else():
    cloud = cloud_of(facts=facts("ufw"))
    found = opened(cloud, cloud.hosts[0]).values()
    assert found
    assert all(item.manager == "ufw" and not item.sources and not item.zones for item in found)
    assert "6081" not in {item.ports for item in found}


def test_a_port_is_opened_in_the_zones_in_which_its_packets_arrive():
    zones = {
        "work": {"interfaces": ["eth0"], "sources": []},
        "tunnels": {"interfaces": ["eth1"], "sources": []},
        "cloud": {"interfaces": [], "sources": ["192.0.2.0/24", "ipset:x", "00:11:22:33:44:55"]},
    }
    cloud = cloud_of(HOSTS, facts=facts("firewalld", **zones), CONFIG_NEUTRON_OVN_TUNNEL_IF="eth1")
    found = opened(cloud, cloud.hosts[0])
    assert found["5000/tcp"].zones == ("work", "cloud")
    assert found["3306/tcp"].zones == ("work", "cloud")
    assert (found["6081/udp"].zones, found["6081/udp"].sources) == (("tunnels",), ("198.51.100.7",))


def test_ports_are_open_before_packages_bring_services_that_listen():
    cloud = cloud_of(facts=facts("firewalld"))
    steps = {step.name: step for step in build(cloud, all_roles())}
    assert (cloud.hosts[0].address, "firewall") in steps["packages"].needs
    assert not {name for _, name in steps["firewall"].needs} & {"packages", "base"}


def test_every_port_of_the_registry_is_for_users_for_hosts_or_stays_at_home():
    at_home = {"memcached", "ovsdb"}
    assert set(ports.PORTS) == {*ports.FOR_USERS, *ports.FOR_HOSTS, *at_home}


def test_the_guide_names_every_port_that_other_machines_come_to():
    cloud = cloud_of(HOSTS)
    text = GUIDE.read_text()
    told = {
        int(number)
        for number in re.findall(r"\b\d{2,5}\b", text.partition("\nPorts, with TLS")[2].partition("\n\n")[0])
    }
    for host in cloud.hosts:
        for opening in openings_of(all_roles(), cloud, host):
            assert {opening.first, opening.last} <= told, opening


def test_networks_of_projects_fit_into_the_shortest_tunnel():
    links = {"eth0": {"mtu": 1450}, "eth1": {"mtu": 9000}}
    path = "/etc/neutron/plugins/ml2/ml2_conf.ini"
    short = cloud_of(HOSTS, facts={**facts(""), "links": links})
    assert "path_mtu = 1450" in content_of(short, path)
    wide = cloud_of(HOSTS, facts={**facts(""), "links": links}, CONFIG_NEUTRON_OVN_TUNNEL_IF="eth1")
    alone = cloud_of(facts={**facts(""), "links": links})
    for cloud in (wide, alone):
        assert "path_mtu" not in content_of(cloud, path)
