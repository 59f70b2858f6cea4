"""Switch, virtual networks and the network service: what the answer file and the hosts' facts make of them."""

import pytest

from installer.errors import AnswerFileError
from installer.resources.bridged_interface import BridgedInterface
from installer.resources.file import File
from installer.resources.openvswitch import OvsBridge, OvsSetting
from installer.resources.ovsdb_listener import OvsdbListener
from installer.resources.unit import Unit
from tests.unit.roles.test_roles import cloud_of, content_of, resources_of

HOST = "192.0.2.10"
TWO = (HOST, "192.0.2.11")
ML2 = "/etc/neutron/plugins/ml2/ml2_conf.ini"
KERNEL = {"kernel_openvswitch": True, "interfaces": {"eth0": ["192.0.2.10/24"], "eth1": ["198.51.100.7/24"]}}
USERSPACE = {**KERNEL, "kernel_openvswitch": False}
BRIDGED = {"CONFIG_NEUTRON_OVN_BRIDGE_IFACES": "br-ex:eth1"}


def settings_of(cloud, host=None):
    return {item.key: item.value for item in resources_of(cloud, host) if isinstance(item, OvsSetting)}


def units_of(cloud, host=None):
    return {item.unit: item for item in resources_of(cloud, host) if isinstance(item, Unit)}


@pytest.mark.parametrize(
    ("asked", "facts", "datapath"),
    [
        ("auto", KERNEL, "system"),
        ("auto", USERSPACE, "netdev"),
        ("netdev", KERNEL, "netdev"),
        ("system", KERNEL, "system"),
    ],
)
def test_the_datapath_is_the_kernels_where_it_has_one_unless_the_answer_file_says(asked, facts, datapath):
    cloud = cloud_of(facts=facts, CONFIG_NEUTRON_OVS_DATAPATH=asked)
    (bridge,) = [item for item in resources_of(cloud) if isinstance(item, OvsBridge)]
    assert (bridge.bridge, bridge.datapath_type) == ("br-ex", datapath)
    assert settings_of(cloud)["ovn-bridge-datapath-type"] == datapath


def test_a_kernel_without_the_datapath_that_is_asked_for_is_refused_before_anything_is_changed():
    with pytest.raises(AnswerFileError, match=r"CONFIG_NEUTRON_OVS_DATAPATH=system, but the kernel of 192\.0\.2\.10"):
        resources_of(cloud_of(facts=USERSPACE, CONFIG_NEUTRON_OVS_DATAPATH="system"))


def test_what_a_switch_in_userspace_needs_is_there_only_with_one():
    here, there = cloud_of(facts=USERSPACE, **BRIDGED), cloud_of(facts=KERNEL, **BRIDGED)
    path = "/etc/systemd/system/ovs-vswitchd.service.d/pystack.conf"
    assert "other_config:userspace-tso-enable=true" in content_of(here, path)
    (file,) = [item for item in resources_of(there) if isinstance(item, File) and item.path == path]
    assert file.absent
    assert path in units_of(here)["ovs-vswitchd.service"].reads
    assert 'device "eth1"' in content_of(here, "/etc/pystack/userspace-ports.nft")
    for unit in ("pystack-userspace-ports.service", "pystack-ovn-tcp-bypass.service"):
        assert units_of(here)[unit].active
        assert not units_of(there)[unit].active


def test_the_name_that_a_chassis_is_known_by_is_not_written_over_at_boot():
    path = "/etc/systemd/system/ovs-record-hostname.service.d/pystack.conf"
    told = content_of(cloud_of(platform="debian-12", facts=KERNEL, **BRIDGED), path)
    assert "ExecStart=\nExecStart=/usr/share/openvswitch/scripts/ovs-ctl --no-full-hostname" in told
    elsewhere = resources_of(cloud_of(platform="el-10", facts=KERNEL, **BRIDGED))
    assert not [item for item in elsewhere if isinstance(item, File) and item.path == path]


def test_a_chassis_is_told_all_but_its_name():
    told = settings_of(cloud_of(facts=KERNEL))
    assert told == {
        "userspace-tso-enable": None,
        "hostname": "h0",
        "ovn-remote": "tcp:192.0.2.10:6642",
        "ovn-remote-probe-interval": "60000",
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": HOST,
        "ovn-bridge-datapath-type": "system",
        "ovn-bridge-mappings": "extnet:br-ex",
        "ovn-cms-options": "enable-chassis-as-gw",
    }


def test_hosts_that_only_run_instances_have_the_bridges_that_the_answer_file_gives_them():
    cloud = cloud_of(TWO, facts=KERNEL, CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS="extnet:br-ex,lab:br-lab", **BRIDGED)
    bare = settings_of(cloud, cloud.hosts[1])
    assert (bare["ovn-bridge-mappings"], bare["ovn-cms-options"]) == (None, None)
    assert not [item for item in resources_of(cloud, cloud.hosts[1]) if isinstance(item, (OvsBridge, BridgedInterface))]
    cloud = cloud_of(
        TWO,
        facts=KERNEL,
        CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS="extnet:br-ex,lab:br-lab",
        CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE="br-ex",
        **BRIDGED,
    )
    assert settings_of(cloud, cloud.hosts[1])["ovn-bridge-mappings"] == "extnet:br-ex"
    assert settings_of(cloud)["ovn-bridge-mappings"] == "extnet:br-ex,lab:br-lab"
    (port,) = [item for item in resources_of(cloud, cloud.hosts[1]) if isinstance(item, BridgedInterface)]
    assert (port.interface, port.bridge) == ("eth1", "br-ex")


def test_without_physical_networks_there_is_no_bridge():
    cloud = cloud_of(facts=KERNEL, CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS="")
    assert not [item for item in resources_of(cloud) if isinstance(item, OvsBridge)]
    assert settings_of(cloud)["ovn-bridge-mappings"] is None
    assert "[ml2_type_vlan]" not in content_of(cloud, ML2)


def test_an_interface_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(AnswerFileError, match=r"gives the interface eth7 to br-ex, .* it has eth0, eth1"):
        resources_of(cloud_of(facts=KERNEL, CONFIG_NEUTRON_OVN_BRIDGE_IFACES="br-ex:eth7"))


@pytest.mark.parametrize(
    ("interface", "held", "address"),
    [
        ("", {}, HOST),
        ("eth1", {"eth1": ["198.51.100.7/24"]}, "198.51.100.7"),
        ("eth1", {"eth1": [], "br-ex": ["198.51.100.7/24"]}, "198.51.100.7"),
        ("br-ex", {"eth1": [], "br-ex": ["2001:db8::7/64"]}, "2001:db8::7"),
    ],
)
def test_tunnels_use_the_address_of_their_interface_also_after_the_bridge_has_it(interface, held, address):
    cloud = cloud_of(
        facts={**KERNEL, "interfaces": {"eth1": [], **held}}, CONFIG_NEUTRON_OVN_TUNNEL_IF=interface, **BRIDGED
    )
    assert settings_of(cloud)["ovn-encap-ip"] == address
    assert ("overlay_ip_version = 6\n" in content_of(cloud, ML2)) is (":" in address)


def test_a_tunnel_interface_without_an_address_is_refused_with_those_that_have_one():
    facts = {**KERNEL, "interfaces": {"eth0": ["192.0.2.10/24"], "eth2": []}}
    with pytest.raises(AnswerFileError, match=r"CONFIG_NEUTRON_OVN_TUNNEL_IF=eth2: .* eth0 has 192\.0\.2\.10/24"):
        resources_of(cloud_of(facts=facts, CONFIG_NEUTRON_OVN_TUNNEL_IF="eth2"))


def test_tunnels_of_a_switch_in_userspace_need_the_address_of_a_bridge():
    assert settings_of(cloud_of(facts=USERSPACE))["ovn-encap-ip"] == HOST
    with pytest.raises(AnswerFileError, match="only from the address of a bridge"):
        resources_of(cloud_of(TWO, facts=USERSPACE, CONFIG_NEUTRON_OVN_TUNNEL_IF="eth0", **BRIDGED))
    wired = {**BRIDGED, "CONFIG_NEUTRON_OVN_TUNNEL_IF": "eth1"}
    with pytest.raises(AnswerFileError, match=r"in userspace on 192\.0\.2\.11"):
        resources_of(cloud_of(TWO, facts=USERSPACE, **wired))
    cloud = cloud_of(TWO, facts=USERSPACE, CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE="br-ex", **wired)
    assert settings_of(cloud, cloud.hosts[1])["ovn-encap-ip"] == "198.51.100.7"


def test_hosts_between_which_a_switch_in_userspace_would_drop_what_instances_send_are_refused():
    wired = {**BRIDGED, "CONFIG_NEUTRON_OVN_TUNNEL_IF": "eth1", "CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE": "br-ex"}
    with pytest.raises(AnswerFileError, match=r"on 192\.0\.2\.10, where this version of it drops") as refused:
        resources_of(cloud_of(TWO, platform="debian-12", facts=USERSPACE, **wired))
    assert "the module openvswitch" in refused.value.remedy
    assert settings_of(cloud_of(TWO, platform="debian-12", facts=KERNEL, **wired))["ovn-encap-ip"] == "198.51.100.7"
    assert settings_of(cloud_of(platform="debian-12", facts=USERSPACE, **wired))["ovn-encap-ip"] == "198.51.100.7"


def test_databases_listen_for_the_cloud_and_the_switch_for_its_own_host():
    listeners = {item.database: item.target for item in resources_of(cloud_of()) if isinstance(item, OvsdbListener)}
    assert listeners == {
        "ovs": "ptcp:6640:127.0.0.1",
        "northbound": "ptcp:6641:192.0.2.10",
        "southbound": "ptcp:6642:192.0.2.10",
    }


def test_a_host_of_instances_has_the_agent_and_neither_api_nor_databases():
    cloud = cloud_of(TWO, facts=KERNEL)
    units = units_of(cloud, cloud.hosts[1])
    assert "openstack-neutron-ovn-agent.service" in units
    assert not [name for name in units if "neutron-api" in name or "central" in name]
    # The agent starts proxies of its own; the distribution's unit would start one with nothing to do.
    assert not units["haproxy.service"].active
    assert "openstack-neutron-ovn-agent.service" not in units_of(cloud)


def test_networks_are_those_that_the_answer_file_allows():
    text = content_of(
        cloud_of(
            facts=KERNEL,
            CONFIG_NEUTRON_ML2_TYPE_DRIVERS="vxlan,vlan",
            CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES="vxlan",
            CONFIG_NEUTRON_ML2_VNI_RANGES="1:9,20:30",
            CONFIG_NEUTRON_ML2_VLAN_RANGES="extnet:100:200,lab",
        ),
        ML2,
    )
    assert "type_drivers = vxlan,vlan\n" in text
    assert "[ml2_type_vxlan]\n" in text
    assert "vni_ranges = 1:9,20:30\n" in text
    assert "network_vlan_ranges = extnet:100:200,lab\n" in text
    assert "geneve" not in text
    assert "flat_networks" not in text
    assert "network_vlan_ranges = extnet\n" in content_of(cloud_of(facts=KERNEL), ML2)


@pytest.mark.parametrize(("drivers", "running"), [("ovn", False), ("ovn,sriovnicswitch", True)])
def test_the_server_for_agents_runs_where_a_driver_has_agents(drivers, running):
    cloud = cloud_of(facts=KERNEL, CONFIG_NEUTRON_ML2_MECHANISM_DRIVERS=drivers)
    assert units_of(cloud)["openstack-neutron-rpc-server.service"].active is running
    assert ("rpc_workers" in content_of(cloud, "/etc/neutron/neutron.conf")) is running


def test_neutron_of_2026_1_is_told_how_many_processes_its_api_has():
    path = "/etc/neutron/neutron.conf"
    assert "api_workers = 3\n" in content_of(
        cloud_of(facts=KERNEL, CONFIG_OPENSTACK_RELEASE="2026.1", CONFIG_SERVICE_WORKERS="3"), path
    )
    assert "api_workers" not in content_of(cloud_of(facts=KERNEL), path)


def test_neutron_tells_the_compute_service_of_ports_where_there_is_one():
    path = "/etc/neutron/neutron.conf"
    assert "[nova]\n" in content_of(cloud_of(facts=KERNEL), path)
    alone = content_of(cloud_of(facts=KERNEL, CONFIG_NOVA_INSTALL="n"), path)
    assert "[nova]\n" not in alone
    assert "notify_nova_on_port_status_changes = false\n" in alone


def test_instances_metadata_is_asked_for_over_tls_with_the_shared_secret():
    cloud = cloud_of(facts=KERNEL)
    text = content_of(cloud, "/etc/neutron/ovn_agent.ini")
    assert "nova_metadata_protocol = https\n" in text
    assert f"nova_metadata_host = {HOST}\n" in text
    assert f"metadata_proxy_shared_secret = {cloud.answers['CONFIG_NEUTRON_METADATA_PW'].reveal()}\n" in text
