"""The test image: its parts are what kernel, boot loader and partition table want, and its scripts are scripts."""

from __future__ import annotations

import http.server
import json
import os
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from installer.agent.host import Host
from installer.resources import test_image as image
from installer.resources.test_image import Archive, TestImage
from installer.resources.test_image_guest import files

LDD = """\
	linux-vdso.so.1 (0x00007ffd1a3c5000)
	libtomcrypt.so.1 => /var/tmp/x/usr/lib/x86_64-linux-gnu/libtomcrypt.so.1 (0x00007f8d0e6a9000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f8d0e4ac000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f8d0e7c2000)
"""


def entries(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read a cpio archive of the format newc: mode and content by name."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + length - 1].decode()
        data = at + 110 + length + (-(110 + length) % 4)
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[data : data + size])
        at = data + size + (-size % 4)


def test_an_archive_has_every_file_after_its_folders_and_no_name_twice() -> None:
    archive = Archive()
    archive.add("/bin/busybox", b"12345", 0o755)
    archive.link("/bin/sh")
    archive.link("/bin/busybox")
    archive.add("/etc/deep/er/file", b"x", 0o644)
    found = entries(archive.finished())
    assert list(found) == ["bin", "bin/busybox", "bin/sh", "etc", "etc/deep", "etc/deep/er", "etc/deep/er/file"]
    assert found["bin"] == (0o040755, b"")
    assert found["bin/busybox"] == (0o100755, b"12345")
    assert found["bin/sh"] == (0o120777, b"/bin/busybox")


def test_the_first_sector_starts_the_one_partition_and_has_its_signature() -> None:
    sector = image.boot_sector(b"\xeb" * 600)
    assert len(sector) == 512
    assert sector[-2:] == b"\x55\xaa"
    assert sector[:440] == b"\xeb" * 440
    active, kind = sector[446], sector[450]
    first, sectors = struct.unpack("<II", sector[454:462])
    assert (active, kind) == (0x80, 0x0E)
    assert (first + sectors) * 512 == image.DISK
    assert first * 512 == image.PARTITION


def test_libraries_are_found_in_what_ldd_says() -> None:
    assert image.parse_ldd(LDD) == [
        ("libtomcrypt.so.1", "/var/tmp/x/usr/lib/x86_64-linux-gnu/libtomcrypt.so.1"),
        ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"),
        ("/lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2"),
    ]


@pytest.mark.parametrize(
    ("depends", "kernels"),
    [
        ("linux-image-cloud-amd64\n  Depends: linux-image-6.12.1-cloud-amd64\n", ["linux-image-6.12.1-cloud-amd64"]),
        (
            "linux-image-6.8.0-1-generic\n  Depends: kmod\n |Depends: linux-modules-6.8.0-1-generic\n",
            ["linux-modules-6.8.0-1-generic"],
        ),
        ("", []),
    ],
)
def test_the_kernel_is_what_its_package_depends_on(depends: str, kernels: list[str]) -> None:
    assert image.parse_kernels(depends) == kernels


def test_modules_come_after_those_that_they_need_and_built_in_ones_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "usr/lib/modules/6.12/kernel"
    folder.mkdir(parents=True)
    for name, needs in (("virtio_net", "net-failover"), ("net_failover", "failover"), ("failover", "")):
        (folder / f"{name.replace('_', '-', 1)}.ko").write_bytes(b"ELF\0license=GPL\0depends=%b\0" % needs.encode())
    found = [name for name, _ in image.modules(str(tmp_path), Host())]
    assert found == ["failover.ko", "net_failover.ko", "virtio_net.ko"]


def test_an_image_is_there_only_whole_and_of_this_recipe(tmp_path: Path) -> None:
    resource = TestImage(str(tmp_path / "image"), "linux-image-cloud-amd64", ())
    assert image.read_note(resource.path) is None
    (tmp_path / "image").write_bytes(b"12")
    (tmp_path / "image.json").write_text('{"recipe": "old", "size": 2}')
    assert image.read_note(resource.path) == {"recipe": "old"}
    (tmp_path / "image").write_bytes(b"1")
    assert image.read_note(resource.path) is None


def test_another_user_makes_another_image() -> None:
    one, other = (TestImage("/x", "k", (), user).expected() for user in ("root", "cirros"))
    assert one != other


@pytest.mark.parametrize("path", [path for path, text in files("root").items() if text.startswith("#!")])
def test_every_program_of_the_guest_is_one_that_a_shell_reads(path: str) -> None:
    done = subprocess.run(["sh", "-n"], input=files("root")[path], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_user_is_another_name_of_roots_and_nobody_twice() -> None:
    assert files("cirros")["/etc/passwd"].splitlines() == [
        "root::0:0:root:/root:/bin/sh",
        "cirros::0:0:cirros:/root:/bin/sh",
    ]
    assert len(files("root")["/etc/passwd"].splitlines()) == 1


def test_a_key_and_a_name_are_found_in_what_nova_writes_on_a_configuration_drive(tmp_path: Path) -> None:
    # As nova/api/metadata/base.py writes it, on one line; the key ends with a line break, or not.
    text = (
        '{"uuid": "1-2", "public_keys": {"a": "ssh-ed25519 AAAA me@example.org\\n"}, "keys": [{"name": "a", "type": '
        '"ssh", "data": "ssh-ed25519 AAAA me@example.org\\n"}], "hostname": "vm-one.novalocal", "name": "vm-one"}'
    )
    (tmp_path / "meta_data.json").write_text(text)
    script = files("root")["/etc/metadata"]
    lines = [line.strip() for line in script.splitlines() if "/run/meta-data" in line]
    assert len(lines) == 3
    program = "\n".join(lines).replace("/run/", f"{tmp_path}/").replace("$drive", str(tmp_path))
    program = program.replace("$keys", f"{tmp_path}/keys")
    subprocess.run(["sh", "-e", "-c", program], check=True)
    assert (tmp_path / "hostname").read_text() == "vm-one.novalocal\n"
    assert (tmp_path / "keys").read_text() == "ssh-ed25519 AAAA me@example.org\n"


#: Takes the place of nc: what is asked for the n-th time gets the n-th of its answers, or the last.
_NC = """\
#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(__file__).parents[1]
what = sys.stdin.readline().split()[1].rpartition("/")[2]
with (here / "asked").open("a") as log:
    log.write(what + "\\n")
answers = json.loads((here / "answers").read_text())[what]
code, text = answers[min((here / "asked").read_text().split().count(what), len(answers)) - 1]
if code:
    print(f"HTTP/1.1 {code} x\\r\\n\\r\\n{text}", end="")
"""
_NONE, _LATE, _BUSY = (404, "none"), (0, ""), (503, "later")


@pytest.mark.parametrize(
    ("key", "user_data", "asked", "said"),
    [
        ([(200, "ssh-ed25519 AAAA a\n")], [_NONE], 5, "name vm, keys 1, from the metadata service"),
        ([_LATE, _BUSY, (200, "ssh-ed25519 AAAA a\n")], [_NONE], 7, "name vm, keys 1, from the metadata service"),
        ([_NONE], [_BUSY, _NONE], 6, "name vm, keys 0, from the metadata service"),
        ([_LATE], [_NONE], 19, "name vm, keys 0, from the metadata service"),
    ],
    ids=["all is there", "the key comes late", "there is no key", "no answer at all"],
)
def test_what_a_busy_metadata_service_does_not_answer_is_asked_for_again(
    tmp_path: Path, key: list[tuple[int, str]], user_data: list[tuple[int, str]], asked: int, said: str
) -> None:
    answers = {"instance-id": [_NONE, (200, "i")], "hostname": [(200, "vm\n")], "user-data": user_data}
    (tmp_path / "answers").write_text(json.dumps({**answers, "openssh-key": key}))
    (tmp_path / "bin").mkdir()
    programs = {"nc": _NC, "mount": "#!/bin/sh\nexit 1\n", "ip": "#!/bin/sh\necho route\n", "sleep": "#!/bin/sh\n"}
    for name, text in {**programs, "hostname": "#!/bin/sh\necho vm\n"}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    script = files("root")["/etc/metadata"].replace("/run/", f"{tmp_path}/").replace("/root/.ssh/", f"{tmp_path}/")
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"pystack test image: {said}"
    # The first time that it is asked, it does not know the instance yet.
    assert len((tmp_path / "asked").read_text().split()) == asked


#: nc of BusyBox, as far as it is used.
_SOCKET = """\
#!/usr/bin/env python3
import socket, sys
with socket.create_connection((sys.argv[3], int(sys.argv[4]))) as link:
    link.sendall(sys.stdin.buffer.read())
    while block := link.recv(4096):
        sys.stdout.buffer.write(block)
"""


class Echo(http.server.BaseHTTPRequestHandler):
    """Tells what it was asked, and that there is nothing below /none."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path.startswith("/none") else 200)
        self.end_headers()
        self.wfile.write(f"{self.command} {self.path} {self.headers['Host']}\n".encode())

    def do_POST(self) -> None:
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b"POST " + self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def curl(tmp_path: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """Run the guest's curl against a server; ``@`` stands for the server's address."""
    (tmp_path / "nc").write_text(_SOCKET)
    (tmp_path / "nc").chmod(0o755)
    script = files("root")["/bin/curl"].replace("/run/", f"{tmp_path}/")
    with http.server.HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"

        def run(*words: str) -> tuple[int, str]:
            argv = ["sh", "-c", script, "curl", *(word.replace("@", address) for word in words)]
            path = f"{tmp_path}:{os.environ['PATH']}"
            done = subprocess.run(argv, env={"PATH": path}, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout.replace(address, "@")

        yield run
        server.shutdown()


def test_the_guests_curl_gets_and_posts_without_wget(curl: Callable[..., tuple[int, str]]) -> None:
    assert curl("http://@/latest/meta-data/public-ipv4") == (0, "GET /latest/meta-data/public-ipv4 @\n")
    assert curl("-s", "http://@") == (0, "GET / @\n")
    assert curl("-X", "POST", "-d", "a=b c", "http://@/x") == (0, "POST a=b c")
    assert curl("http://@/none")[0] == 22


def test_the_bus_is_there_before_the_devices_on_it() -> None:
    """Without it a guest of Debian 12's kernel has neither disk nor network."""
    assert image.MODULES[0] == "virtio_pci"
