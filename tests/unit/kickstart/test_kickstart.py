"""Unattended installations: what is in them, and that the parsers of their installers read them."""

import inspect
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

from installer import cli
from installer.cli.verbs import VERBS
from installer.kickstart import FORMS
from installer.paths import ROOT
from installer.platforms import supported

HERE = Path(__file__).parent
MADE = [
    pytest.param(platform, case, id=f"{platform} {' '.join(case['words'])}")
    for case in yaml.safe_load((HERE / "made.yaml").read_text())
    for platform in case["platforms"]
]
REFUSED = yaml.safe_load((HERE / "refused.yaml").read_text())
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICemCIJUpLpqNaVpMBCvtiXMLBgjoHHP76CAdAsuoJOF"
#: The names of these installers' own for our platforms.
VERSIONS = {"el-9": "RHEL9", "el-10": "RHEL10", "fedora-43": "F43", "fedora-44": "F44", "fedora-45": "F45"}


@pytest.fixture(autouse=True)
def _answer_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    Path("key.pub").write_text(f'{KEY} operator "$(reboot)"\n')
    words = ["--hosts=192.0.2.10,192.0.2.11", f"--set=CONFIG_SSH_KEY={tmp_path}/key"]
    assert cli.run(["generate", "--output=cloud.txt", *words]) == 0
    capsys.readouterr()


def run(*words):
    return cli.run(["kickstart", "--answer-file=cloud.txt", *words])


@pytest.mark.parametrize(("platform", "case"), MADE)
def test_a_file_says_what_the_answer_file_and_the_command_line_ask_for(platform, case, capsys):
    assert run(f"--platform={platform}", *case["words"]) == 0, capsys.readouterr().err
    text = capsys.readouterr().out.replace(KEY, "KEY")
    missing = [line for line in case.get("lines", ()) if line not in text.splitlines()]
    assert missing == []
    unwanted = [part for part in case.get("lacks", ()) if part in text]
    assert unwanted == []


@pytest.mark.parametrize(("platform", "case"), [case for case in MADE if case.values[0] in VERSIONS])
def test_ksvalidator_of_the_platforms_own_release_accepts_every_kickstart_file(platform, case, capsys):
    run(f"--platform={platform}", *case["words"])
    Path("host.ks").write_text(capsys.readouterr().out)
    program = Path(sys.executable).with_name("ksvalidator")
    said = subprocess.run([program, "-v", VERSIONS[platform], "host.ks"], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout


def test_a_kickstart_file_is_read_back_with_disks_and_users_as_they_were_meant(capsys):
    run("--host=192.0.2.10", "--system-disk=/dev/sda", "--volumes-disk=/dev/sdb", "--set=CONFIG_SSH_USER=op")
    handler = makeVersion("RHEL10")
    KickstartParser(handler).readKickstartFromString(capsys.readouterr().out)
    assert handler.clearpart.drives == handler.ignoredisk.onlyuse == ["/dev/sda", "/dev/sdb"]
    assert {part.mountpoint: part.disk for part in handler.partition.partitions} == {
        "/": "/dev/sda",
        "pv.volumes": "/dev/sdb",
    }
    [group] = handler.volgroup.vgList
    assert (group.vgname, group.physvols) == ("cinder-volumes", ["pv.volumes"])
    [key] = handler.sshkey.sshUserList
    assert (key.username, key.key) == ("op", KEY)
    assert handler.rootpw.lock
    assert handler.user.userList[0].password == ""


@pytest.mark.parametrize(("platform", "case"), [case for case in MADE if case.values[0].startswith("debian")])
def test_debconf_accepts_every_preseed_file(platform, case, capsys):
    program = shutil.which("debconf-set-selections")
    if program is None:
        pytest.skip("debconf is not here: this needs a Debian machine")
    run(f"--platform={platform}", *case["words"])
    text = capsys.readouterr().out
    # What debconf writes about an unknown answer is in the language of this machine.
    said = subprocess.run([program, "--checkonly"], input=text, capture_output=True, text=True, env={"LC_ALL": "C"})
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    late = re.search(r"(?ms)^d-i preseed/late_command string (.*?[^\\])$", text)[1].replace("\\\n", "")
    subprocess.run(["sh", "-n"], input=late, text=True, check=True)


def test_what_debian_is_told_to_run_at_the_end_lets_the_operator_in_and_makes_the_group(tmp_path, capsys):
    run(
        *(HOST, "--platform=debian-13", "--system-disk=/dev/sda", "--volumes-disk=/dev/sdb"),
        *("--set=CONFIG_SSH_USER=op", "--set=CONFIG_NTP_SERVERS=192.0.2.4,ntp.example.org"),
    )
    target = tmp_path / "target"
    for folder in ("home/op", "etc/ssh/sshd_config.d", "etc/sudoers.d", "etc/chrony/sources.d"):
        (target / folder).mkdir(parents=True)
    late = re.search(r"(?ms)^d-i preseed/late_command string (.*?[^\\])$", capsys.readouterr().out)[1]
    late = late.replace("\\\n", "").replace("/target", str(target))
    in_target = tmp_path / "in-target"
    in_target.write_text(f'#!/bin/sh\necho "$@" >> {target}/run\n')
    in_target.chmod(0o755)
    subprocess.run(["sh", "-c", late], check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    keys = target / "home/op/.ssh/authorized_keys"
    assert (keys.read_text(), stat.S_IMODE(keys.stat().st_mode)) == (f"{KEY}\n", 0o600)
    assert stat.S_IMODE(keys.parent.stat().st_mode) == 0o700
    assert (target / "etc/sudoers.d/pystack-login").read_text() == "op ALL=(ALL) NOPASSWD: ALL\n"
    assert (target / "etc/ssh/sshd_config.d/00-keys-only.conf").read_text() == (
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    )
    times = target / "etc/chrony/sources.d/pystack.sources"
    assert times.read_text() == "server 192.0.2.4 iburst\nserver ntp.example.org iburst\n"
    assert stat.S_IMODE(times.stat().st_mode) == 0o644
    assert (target / "run").read_text().splitlines() == [
        "chown -R op: /home/op/.ssh",
        "wipefs --all /dev/sdb",
        "vgcreate --yes cinder-volumes /dev/sdb",
    ]


#: Keys that Ubuntu documents: canonical-subiquity.readthedocs-hosted.com, autoinstall-reference.
AUTOINSTALL = {
    "version": int,
    "locale": str,
    "keyboard": dict,
    "timezone": str,
    "proxy": str,
    "apt": dict,
    "network": dict,
    "storage": dict,
    "ssh": dict,
    "packages": list,
    "late-commands": list,
    "user-data": dict,
}


@pytest.mark.parametrize(("platform", "case"), [case for case in MADE if case.values[0].startswith("ubuntu")])
def test_autoinstall_has_the_structure_that_ubuntu_documents(platform, case, capsys):
    run(f"--platform={platform}", *case["words"])
    text = capsys.readouterr().out
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    assert list(document) == ["autoinstall"]
    told = document["autoinstall"]
    assert {key: type(value) for key, value in told.items()}.items() <= AUTOINSTALL.items()
    assert told["version"] == 1
    assert told["keyboard"] == {"layout": "us"}
    assert told["network"]["version"] == 2
    assert told["storage"]["layout"]["name"] == "direct"
    assert set(told["ssh"]) == {"install-server", "allow-pw"}
    assert all(isinstance(word, str) for command in told.get("late-commands", ()) for word in command)
    # Without an identity of the installer's, cloud-init makes the account.
    [user] = told["user-data"]["users"]
    assert user["lock_passwd"] is True
    assert user["ssh_authorized_keys"] == [KEY]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: " ".join(case["words"]))
def test_what_cannot_be_made_ends_with_2_and_says_every_reason(case, capsys):
    words = case["words"] if any(word.startswith("--host") for word in case["words"]) else [*case["words"], HOST]
    assert run(*words) == 2
    said = capsys.readouterr()
    remedy = case["remedy"].replace("\n", "\n        ")
    assert (said.err, said.out) == (f"error: {case['says']}\nremedy: {remedy}\n", "")


HOST = "--host=192.0.2.10"


def test_a_file_is_private_never_overwritten_and_told_what_it_erases(capsys):
    words = (HOST, "--system-disk=/dev/sda", "--volumes-disk=/dev/sdb", "--output=host.ks")
    assert run(*words) == 0
    assert stat.S_IMODE(Path("host.ks").stat().st_mode) == 0o600
    told = capsys.readouterr().out
    assert "it erases /dev/sda and /dev/sdb of whatever host it is started on\n" in told
    assert "its address comes from DHCP, which must give host-192-0-2-10 the one that 192.0.2.10 stands for\n" in told
    assert "inst.ks=URL" in told
    assert run(*words) == 2


@pytest.mark.parametrize("platform", [platform.name for platform in supported()])
def test_no_secret_of_the_answer_file_is_in_any_form(platform, capsys):
    secrets = re.findall(r"(?m)^CONFIG_\w+_(?:PW|PASSWORD)=(\S{8,})$", Path("cloud.txt").read_text())
    assert len(secrets) > 5
    assert run(HOST, "--system-disk=/dev/sda", "--volumes-disk=/dev/sdb", f"--platform={platform}") == 0
    text = capsys.readouterr().out
    assert [secret for secret in secrets if secret in text] == []
    assert "operator" not in text
    assert "reboot)" not in text


def test_without_a_public_key_file_the_key_itself_tells_its_public_half(tmp_path, capsys):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "own"], check=True)
    public = " ".join(Path("own.pub").read_text().split()[:2])
    Path("own.pub").unlink()
    assert run(HOST, "--system-disk=/dev/sda", f"--set=CONFIG_SSH_KEY={tmp_path}/own") == 0
    assert f'sshkey --username=root "{public}"' in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", ["", "ssh-dss AAAA", "ssh-ed25519", "ssh-ed25519 %%%", KEY.replace("ed25519", "rsa")]
)
def test_what_is_no_public_key_is_refused(content, capsys):
    Path("key.pub").write_text(content)
    assert run(HOST, "--system-disk=/dev/sda") == 2
    assert "key.pub is not a public key: " in capsys.readouterr().err


def test_the_login_is_the_one_that_ssh_config_gives_where_the_answer_file_gives_none(tmp_path, capsys):
    Path(".ssh").mkdir()
    Path(".ssh/config").write_text("Host 192.0.2.*\n  User fred\n")
    assert run(HOST, "--system-disk=/dev/sda") == 0
    assert "sshkey --username=fred " in capsys.readouterr().out


def test_what_ubuntus_installer_is_started_with_is_quoted_for_grub_and_not_for_others(capsys):
    assert run("--host=192.0.2.11", "--platform=ubuntu-24.04", "--system-disk=/dev/sda", "--output=user-data") == 0
    told = capsys.readouterr().out
    # GRUB ends a command at a bare semicolon, and takes quotes away; other boot loaders leave both to the kernel.
    assert "autoinstall 'ds=nocloud;s=URL/' " in told
    assert "(GRUB wants the quotes; pxelinux and iPXE want none)\n" in told


def test_a_platform_may_be_named_as_its_file_is_and_of_fedora_the_release_is_asked_for(capsys):
    assert run("--host=192.0.2.11", "--platform=el10", "--system-disk=/dev/sda", "--output=host.ks") == 0
    assert "Kickstart for el-10" in capsys.readouterr().out
    assert run("--host=192.0.2.11", "--platform=fedora", "--system-disk=/dev/sda") == 2
    assert "which release of fedora?" in capsys.readouterr().err


def test_the_guides_table_says_of_every_platform_how_its_installer_is_started_and_finds_the_disk():
    guide = (ROOT / "docs/real-machines.md").read_text()
    told = {}
    for names, title, *rest in re.findall(r"(?m)^\| (`[a-z].*?) \| (.*?) \| (.*?) \| (.*?) \|$", guide):
        told |= dict.fromkeys(re.findall("`(.*?)`", names), (title, *rest))
    assert list(told) == list(FORMS)
    for platform, (title, start, disk) in told.items():
        form = FORMS[platform]
        assert title.startswith(form.title.lower())
        [words] = re.findall("`([^`]*URL.*?)`", start)
        assert f"start the installer with {words}" in form.hand_over
        assert ("alone" in disk) is form.by_kernel_name


def examples():
    help_text = inspect.getdoc(VERBS["kickstart"])
    readme, guide = ((ROOT / name).read_text() for name in ("README.md", "docs/real-machines.md"))
    # A line of help goes on where the next one is further in.
    for text in (re.sub(r"\n {4,}(?=--)", " ", help_text), readme, guide):
        for words in re.findall(r"(?m)^ +(?:\./)?pystack kickstart (.*)$", text.replace("\\\n", " ")):
            yield shlex.split(words, comments=True)


@pytest.mark.parametrize("words", list(examples()), ids=" ".join)
def test_every_example_in_help_and_documents_works_with_an_answer_file_as_it_is_generated(words, tmp_path, capsys):
    Path("cloud.txt").unlink()
    assert cli.run(["generate", "--output=cloud.txt", "--hosts=192.0.2.10,192.0.2.11"]) == 0
    Path(".ssh").mkdir()
    Path("key.pub").rename(".ssh/id_ed25519.pub")
    capsys.readouterr()
    assert cli.run(["kickstart", *words]) == 0, capsys.readouterr().err


def test_help_names_the_platforms_that_there_are_and_the_one_by_default(capsys):
    assert cli.run(["kickstart", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"what the host is to run; one of {', '.join(FORMS)}; el-10 by default" in told


def test_every_supported_platform_has_a_form():
    assert set(FORMS) == {platform.name for platform in supported()}
