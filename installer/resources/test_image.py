"""A tiny image to boot instances from, made of the distribution's own packages; none of them is installed.

Kernel, BusyBox and an SSH server in one file system in memory, and SYSLINUX to load them: the whole disk is 32 MiB.
"""

from __future__ import annotations

import dataclasses
import glob
import gzip
import hashlib
import json
import lzma
import os
import re
import shutil
import struct
import tempfile
from typing import ClassVar, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.file import write_atomically
from installer.resources.secret import Secret
from installer.resources.test_image_guest import files
from installer.resources.unpacking import download, unpack

#: Counts up when an image made before must be made anew for another reason than its files.
RECIPE = 1
MIB = 1 << 20
#: Size of the disk, and where its one partition begins: after the first MiB, as everywhere.
DISK, PARTITION = 32 * MIB, MIB
SECTOR = 512
#: In the order in which they are loaded, after those that they need; one that the kernel has built in is left out.
MODULES = (
    # The bus that the others are on: a module in the kernel of Debian 12, built into later ones.
    "virtio_pci",
    *("virtio_net", "virtio_blk", "virtio_scsi", "virtio_rng", "ahci", "ata_piix", "sd_mod", "sr_mod"),
    *("isofs", "vfat", "nls_ascii", "nls_cp437", "button", "evdev"),
)
_BOOT = """\
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL vmlinuz
  INITRD initrd
  APPEND rdinit=/sbin/init console=tty0 console=ttyS0 net.ifnames=0 quiet loglevel=4 no_timer_check
"""
_SUFFIX = re.compile(r"\.ko(\.xz|\.zst)?$")


@dataclasses.dataclass(frozen=True)
class TestImage(Resource):
    """A raw disk image that boots on a PC with BIOS and virtio devices.

    A note beside it, written last, says what it was made of.

    Args:
        path: where it is kept; its folder must exist.
        kernel: the package that depends on the kernel's newest package, such as ``linux-image-cloud-amd64``.
        packages: packages with the guest's programs and their libraries, and with the tools that make the disk.
        user: the name that one logs in with, besides root.
        proxies: see ``installer.resources.package.Package``.
    """

    kind: ClassVar[str] = "test-image"
    #: For pytest: this is no test.
    __test__: ClassVar[bool] = False

    path: str
    kernel: str
    packages: Tuple[str, ...]
    user: str = "root"
    proxies: Tuple[Tuple[str, Secret], ...] = ()

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        made_of = [RECIPE, DISK, MODULES, _BOOT, sorted(files(self.user).items())]
        return {"recipe": hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]}

    @classmethod
    def query(cls, resources: Sequence[TestImage], host: Host) -> Dict[str, Actual]:
        return {resource.id: read_note(resource.path) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        with tempfile.TemporaryDirectory(prefix="pystack-image-", dir="/var/tmp") as folder:
            host.progress("downloading what the test image is made of")
            unpacked = os.path.join(folder, "unpacked")
            unpack(self._download(folder, host), unpacked, host)
            host.progress("making the test image")
            disk = os.path.join(folder, "disk")
            _make_disk(disk, unpacked, self._memory_file_system(unpacked, host), host)
            shutil.move(disk, f"{self.path}.new")
        os.replace(f"{self.path}.new", self.path)
        note = json.dumps({**(self.expected() or {}), "size": os.path.getsize(self.path)})
        write_atomically(f"{self.path}.json", note.encode(), "root", "root", 0o644)

    def _download(self, folder: str, host: Host) -> str:
        kernels = list(_kernel_packages(self.kernel, host))
        if not kernels:
            raise CannotFix(f"the package {self.kernel} names no kernel: the package sources of this host have none")
        target = os.path.join(folder, "packages")
        os.mkdir(target)
        download([*kernels, *self.packages], target, host, self.proxies)
        return target

    def _memory_file_system(self, unpacked: str, host: Host) -> bytes:
        """Return the guest's file system: a cpio archive, compressed as little as possible, for speed of booting."""
        archive = Archive()
        for path, text in files(self.user).items():
            archive.add(path, text.encode(), 0o755 if text.startswith("#!") else 0o644)
        for path in ("/dev", "/proc", "/sys", "/run", "/tmp", "/mnt", "/root/.ssh", "/etc/dropbear", "/var/log"):
            archive.folder(path, 0o700 if path.startswith("/root") else 0o755)
        busybox = os.path.join(unpacked, "usr/bin/busybox")
        if not os.path.exists(busybox):
            busybox = os.path.join(unpacked, "bin/busybox")
        archive.add("/bin/busybox", _content(busybox), 0o755)
        for applet in host.run([busybox, "--list-full"]).out.split():
            archive.link(f"/{os.path.basename(os.path.dirname(applet)) or 'bin'}/{os.path.basename(applet)}")
        dropbear = os.path.join(unpacked, "usr/sbin/dropbear")
        archive.add("/sbin/dropbear", _content(dropbear), 0o755)
        for path, source in _libraries(dropbear, unpacked, host):
            archive.add(path, _content(source), 0o755)
        names = []
        for name, content in modules(unpacked, host):
            archive.add(f"/lib/modules/{name}", content, 0o644)
            names.append(name)
        archive.add("/etc/modules", "".join(f"{name}\n" for name in names).encode(), 0o644)
        return gzip.compress(archive.finished(), compresslevel=1, mtime=0)


def read_note(path: str) -> Actual:
    """Return what the image at a path was made of; None without a whole image."""
    try:
        with open(f"{path}.json", encoding="utf-8") as stream:
            note = json.load(stream)
        if os.path.getsize(path) != note.pop("size"):
            return None
    except (OSError, ValueError, KeyError):
        return None
    found: Dict[str, str] = note
    return found


class Archive:
    """A cpio archive of the kind that the kernel unpacks into memory (Documentation/driver-api/early-userspace)."""

    def __init__(self) -> None:
        self._parts: List[bytes] = []
        self._known = {"/"}

    def folder(self, path: str, mode: int = 0o755) -> None:
        """Add a directory and those above it."""
        if path in self._known:
            return
        self.folder(os.path.dirname(path))
        self._known.add(path)
        self._entry(path, 0o040000 | mode, b"")

    def add(self, path: str, content: bytes, mode: int) -> None:
        """Add a file."""
        self.folder(os.path.dirname(path))
        self._known.add(path)
        self._entry(path, 0o100000 | mode, content)

    def link(self, path: str, target: str = "/bin/busybox") -> None:
        """Add a symbolic link, unless something is there."""
        if path in self._known:
            return
        self.folder(os.path.dirname(path))
        self._known.add(path)
        self._entry(path, 0o120777, target.encode())

    def finished(self) -> bytes:
        """Return the whole archive."""
        self._entry("/TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _entry(self, path: str, mode: int, content: bytes) -> None:
        name = path.lstrip("/").encode() + b"\0"
        number = len(self._parts) + 1
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        self._parts.append(_padded(head) + _padded(content))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _kernel_packages(package: str, host: Host) -> Iterator[str]:
    """Yield the packages that hold the newest kernel and, where they are apart, its modules."""
    for found in parse_kernels(host.run(["apt-cache", "depends", "--important", package], expect=None).out):
        yield found
        yield from _kernel_packages(found, host)


def parse_kernels(depends: str) -> List[str]:
    """Return the packages of kernel and modules that ``apt-cache depends`` names."""
    return re.findall(r"^\s*\|?Depends: (linux-(?:image|modules)-\S+)", depends, re.MULTILINE)


def _libraries(program: str, unpacked: str, host: Host) -> Iterator[Tuple[str, str]]:
    """Yield the path in the guest, and the path here, of every library that a program needs."""
    folders = {os.path.dirname(path) for path in glob.glob(f"{unpacked}/usr/lib/*/*.so.*")}
    listed = host.run(["ldd", program], env={"LD_LIBRARY_PATH": ":".join(sorted(folders))}).out
    for name, path in parse_ldd(listed):
        # The loader has its path from the program itself; the libraries are found in the first place it looks.
        yield (path if name == path else f"/lib/{name}"), path


def parse_ldd(listed: str) -> List[Tuple[str, str]]:
    """Return name and path of each library that ``ldd`` lists; the loader's name is its path."""
    found = re.findall(r"^\s*(?:(\S+) => )?(/\S+) \(0x", listed, re.MULTILINE)
    return [(name or path, path) for name, path in found]


def modules(unpacked: str, host: Host) -> Iterator[Tuple[str, bytes]]:
    """Yield file name and content of the kernel's modules, each after those that it needs."""
    paths = {}
    for folder in glob.glob(f"{unpacked}/lib/modules/*") + glob.glob(f"{unpacked}/usr/lib/modules/*"):
        for path in glob.glob(f"{folder}/**/*.ko*", recursive=True):
            paths[module_name(path)] = path
    done = set()

    def load(name: str) -> Iterator[Tuple[str, bytes]]:
        if name in done or name not in paths:
            return
        done.add(name)
        content = _uncompressed(paths[name], host)
        for other in needed_modules(content):
            yield from load(other)
        yield f"{name}.ko", content

    for name in MODULES:
        yield from load(name)


def module_name(path: str) -> str:
    """Return the name of the module in a file: the kernel takes ``-`` for ``_``."""
    return _SUFFIX.sub("", os.path.basename(path)).replace("-", "_")


def needed_modules(content: bytes) -> List[str]:
    """Return the names of the modules that a module says, in its section .modinfo, that it needs."""
    found = re.search(rb"\0depends=([^\0]*)\0", content)
    return [name.replace("-", "_") for name in found.group(1).decode().split(",") if name] if found else []


def _uncompressed(path: str, host: Host) -> bytes:
    if path.endswith(".xz"):
        return lzma.decompress(_content(path))
    if path.endswith(".zst"):
        host.run(["zstd", "--decompress", "--quiet", "--force", path])
        return _content(path[: -len(".zst")])
    return _content(path)


def _make_disk(path: str, unpacked: str, initrd: bytes, host: Host) -> None:
    with open(path, "wb") as stream:
        stream.truncate(DISK)
    env = {
        "PATH": ":".join(f"{unpacked}/{folder}" for folder in ("usr/bin", "usr/sbin", "bin", "sbin")) + ":/usr/bin:/bin"
    }
    kernel = _only(glob.glob(f"{unpacked}/boot/vmlinuz-*"), "kernel")
    size = str((DISK - PARTITION) // 1024)
    sectors = str(PARTITION // SECTOR)
    host.run(["mkfs.vfat", "-F", "16", "-n", "PYSTACK", "--offset", sectors, path, size], env=env)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        for name, content in (("initrd", initrd), ("syslinux.cfg", _BOOT.encode())):
            with open(os.path.join(folder, name), "wb") as stream:
                stream.write(content)
        os.symlink(kernel, os.path.join(folder, "vmlinuz"))
        names = [os.path.join(folder, name) for name in ("vmlinuz", "initrd", "syslinux.cfg")]
        host.run(["mcopy", "-i", f"{path}@@{PARTITION}", *names, "::"], env=env)
    host.run(["syslinux", "--offset", str(PARTITION), "--install", path], env=env)
    starter = _content(_only(glob.glob(f"{unpacked}/usr/lib/**/mbr/mbr.bin", recursive=True), "boot sector"))
    with open(path, "r+b") as stream:
        stream.write(boot_sector(starter))


def boot_sector(starter: bytes) -> bytes:
    """Return the first sector of the disk: code that starts the active partition, and the table of partitions."""
    active, fat16, nowhere = 0x80, 0x0E, b"\xfe\xff\xff"
    entry = struct.pack("<B3sB3sII", active, nowhere, fat16, nowhere, PARTITION // SECTOR, (DISK - PARTITION) // SECTOR)
    return starter[:440].ljust(446, b"\0") + entry + b"\0" * 48 + b"\x55\xaa"


def _only(paths: Iterable[str], what: str) -> str:
    found: Optional[str] = next(iter(sorted(paths)), None)
    if found is None:
        raise CannotFix(f"the packages of the test image hold no {what}")
    return found


def _content(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
