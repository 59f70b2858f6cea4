"""The Vagrantfile, read by Vagrant and by rubocop where these are installed, and the scripts that it runs."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from installer.paths import ROOT
from installer.platforms import supported

MACHINES = ROOT / "machines"
PLATFORMS = ("el-9", "el-10", "fedora-43", "debian-13")
CASES = yaml.safe_load((ROOT / "tests" / "unit" / "machines" / "disks.yaml").read_text())


def vagrant(home, *words, **settings):
    program = shutil.which("vagrant")
    if program is None:
        pytest.skip("vagrant is not here: apt-get install vagrant vagrant-libvirt (Debian 12)")
    environment = {**os.environ, "VAGRANT_HOME": str(home), "VAGRANT_DOTFILE_PATH": str(home / "dot"), **settings}
    return subprocess.run([program, *words], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_vagrant_accepts_the_file_for_every_platform(platform, tmp_path):
    said = vagrant(tmp_path, "validate", PYSTACK_PLATFORM=platform, PYSTACK_COMPUTES="3")
    assert (said.returncode, "validated successfully" in said.stdout) == (0, True), said.stderr


def test_vagrant_knows_a_controller_and_as_many_computes_as_were_asked_for(tmp_path):
    said = vagrant(tmp_path, "status", "--machine-readable", PYSTACK_COMPUTES="2")
    assert re.findall(r"(?m)^\d+,([\w-]+),state,", said.stdout) == ["controller", "compute-1", "compute-2"]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"PYSTACK_PLATFORM": "el-8"}, "PYSTACK_PLATFORM=el-8 is none of el-9, el-10, fedora-43, debian-13"),
        ({"PYSTACK_COMPUTES": "10"}, "PYSTACK_COMPUTES=10 is not between 0 and 9"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_by_name(setting, says, tmp_path):
    said = vagrant(tmp_path, "validate", **setting)
    assert said.returncode != 0
    assert says in said.stderr


def test_rubocop_finds_nothing():
    program = shutil.which("rubocop")
    if program is None:
        pytest.skip("rubocop is not here: apt-get install rubocop (Debian 12)")
    said = subprocess.run([program, "--cache", "false", "Vagrantfile"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_every_platform_of_the_file_is_one_that_pystack_installs_on():
    named = re.findall(r"(?m)^  '([a-z]+-\d+)' =>", (ROOT / "Vagrantfile").read_text())
    assert tuple(named) == PLATFORMS
    assert set(named) <= {platform.name for platform in supported()}


@pytest.mark.parametrize("script", sorted(MACHINES.glob("*.sh")), ids=lambda path: path.name)
def test_every_script_is_run_by_the_file_and_is_one_for_a_plain_shell(script):
    assert f", '{script.stem}'," in (ROOT / "Vagrantfile").read_text()
    subprocess.run(["sh", "-n", script], check=True)


def run(tmp_path, script, *arguments, programs, **settings):
    """Run a script with programs of the machine's in place of this one's."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", **settings}
    command = ["sh", MACHINES / script, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_the_volume_group_is_made_on_the_one_empty_disk_of_the_size_or_not_at_all(case, tmp_path):
    listed, lines, mounts, marks = [], [], [], []
    for name, disk in case["disks"].items():
        listed.append(f"{name} {disk.get('type', 'disk')} {disk['size']}")
        lines.append(f"*' NAME {name}'*) printf 'x\\n%.0s' $(seq {disk.get('lines', 1)});;")
        mounts.append(f"*'MOUNTPOINT {name}'*) echo '{disk.get('mount', '')}';;")
        marks.append(f"*{name}) echo '{disk.get('marks', '')}';;")
    table = "\n".join(listed)
    programs = {
        "lsblk": f'case "$*" in *NAME,TYPE,SIZE*) echo "{table}";;\n' + "\n".join([*mounts, *lines]) + "\nesac",
        "wipefs": 'case "$*" in\n' + "\n".join(marks) + "\nesac",
        "vgs": f"exit {0 if case.get('group') else 5}",
        "vgcreate": 'echo "$*" >> made',
    }
    said = run(tmp_path, "volume_group.sh", "cinder-volumes", str(23 * 1024**3), programs=programs)
    made = (tmp_path / "made").read_text().split() if (tmp_path / "made").exists() else []
    assert made == (["cinder-volumes", case["made_on"]] if "made_on" in case else [])
    assert said.returncode == (1 if "refused" in case else 0), said.stderr
    assert case.get("refused", "") in said.stderr
    assert case.get("says", "") in said.stdout


def card(tmp_path, name, mac, real):
    folder = tmp_path / "net" / name
    folder.mkdir(parents=True)
    (folder / "address").write_text(f"{mac}\n")
    if real:
        (folder / "device").mkdir()


MAC = "08:00:27:57:00:0b"
CARDS = [
    (
        "NetworkManager",
        [],
        "connection add type ethernet con-name n ifname eth2 ipv4.method disabled ipv6.method disabled",
    ),
    (
        "NetworkManager",
        ["192.168.56.11/24"],
        "ifname eth2 ipv4.method manual ipv4.addresses 192.168.56.11/24 ipv6.method",
    ),
    ("systemd-networkd", [], "[Match]\nName=eth2\n[Network]\nLinkLocalAddressing=no\nreload"),
    ("systemd-networkd", ["192.168.56.11/24"], "LinkLocalAddressing=no\nAddress=192.168.56.11/24\nreload"),
    ("ifupdown", [], "auto eth2\niface eth2 inet manual\neth2"),
    ("ifupdown", ["192.168.56.11/24"], "auto eth2\niface eth2 inet static\n    address 192.168.56.11/24\neth2"),
]


def network_card(tmp_path, active, address, master=""):
    """Run the script on a machine with that card; returns what it said, and what it wrote and did."""
    card(tmp_path, "eth0", "52:54:00:00:00:01", real=True)
    card(tmp_path, "eth2", MAC, real=True)
    card(tmp_path, "z-bridge", MAC, real=False)
    for folder in ("systemd/network", "network/interfaces.d"):
        (tmp_path / "etc" / folder).mkdir(parents=True)
    programs = {
        "ip": f"echo '4: eth2: <UP>{master} state UP'",
        "systemctl": f'case "$*" in *" {active}") exit 0;; esac; exit 3',
        "nmcli": 'echo "$*" >> done; case "$*" in *"connection show"*) exit 10;; esac',
        "networkctl": 'echo "$*" >> done',
        "ifup": 'echo "$*" >> done',
    }
    places = {"SYS_CLASS_NET": str(tmp_path / "net"), "ETC": str(tmp_path / "etc")}
    said = run(tmp_path, "network_card.sh", "n", MAC, *address, programs=programs, **places)
    files = [path for path in (tmp_path / "etc").rglob("*n*") if path.is_file()]
    files += [path for path in [tmp_path / "done"] if path.exists()]
    return said, "".join(path.read_text() for path in files)


@pytest.mark.parametrize(("active", "address", "does"), CARDS)
def test_a_card_is_found_by_its_ethernet_address_and_switched_on_by_whatever_looks_after_it(
    active, address, does, tmp_path
):
    said, done = network_card(tmp_path, active, address)
    assert said.returncode == 0, said.stderr
    assert does in done
    assert said.stdout == ("" if address else "for CONFIG_NEUTRON_OVN_BRIDGE_IFACES: br-ex:eth2\n")


def test_a_card_that_pystack_has_made_a_port_of_a_bridge_is_left_alone(tmp_path):
    said, done = network_card(tmp_path, "NetworkManager", [], master=" master ovs-system")
    assert (said.returncode, done) == (0, "")


def test_without_the_card_it_says_which_one_is_missing(tmp_path):
    card(tmp_path, "eth0", "52:54:00:00:00:01", real=True)
    said = run(tmp_path, "network_card.sh", "n", MAC, programs={}, SYS_CLASS_NET=str(tmp_path / "net"))
    assert (said.returncode, said.stderr) == (1, f"no network card has the Ethernet address {MAC}\n")


def test_the_host_key_is_told_as_the_answer_file_takes_it(tmp_path):
    programs = {
        "ip": "echo '2: eth0 inet 192.168.121.5/24 x'; echo '3: eth1 inet 192.168.56.11/24 x'",
        "ssh-keygen": "echo '256 SHA256:abc+/ root@controller (ED25519)'",
    }
    said = run(tmp_path, "host_key.sh", programs=programs)
    assert said.stdout == "for CONFIG_SSH_HOST_KEYS: 192.168.56.11=SHA256:abc+/\n"


def test_without_a_public_key_it_says_where_it_was_looked_for(tmp_path):
    said = run(tmp_path, "public_key.sh", "", "/home/me/.ssh/id_ed25519.pub", programs={})
    assert said.returncode == 1
    assert "there is no public key in /home/me/.ssh/id_ed25519.pub" in said.stderr
