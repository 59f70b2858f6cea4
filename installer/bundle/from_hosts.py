"""Packages that no address leads to from here: hosts download them, and they come over the links to the hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from installer.bundle.keeping import Wanted, keep
from installer.bundle.manifest import Infrastructure
from installer.engine.session import AgentSession
from installer.wheels.downloads import NoWay
from installer.wheels.store import Store

#: Bytes that are asked for at a time.
PART = 1 << 20
#: What a package is known by.
_IDENTITY = ("name", "version", "architecture")

Item = Mapping[str, str]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class DownloadingHost:
    """A host whose package manager downloads packages for a bundle.

    Args:
        session: its agent.
        repositories: ids of those that are to be used, too, if the host has them and leaves them off.
        proxies: additions to its environment.
        told: what it would install, as ``installer.agent.coming_repositories.would_install`` tells it.
    """

    session: AgentSession
    repositories: Sequence[str]
    proxies: Mapping[str, str]
    told: Mapping[str, Any]

    def download(self, packages: Sequence[Item]) -> list[Mapping[str, Any]]:
        """Have packages downloaded, and return what is there of each, in their order.

        Raises:
            NoWay: it cannot download them.
            HostUnreachable: the link is lost.
        """
        bringing, size = self.told.get("bringing", ()), self.told.get("size", 0)
        answer = self.session.download(packages, bringing, size, self.repositories, self.proxies).result()
        if answer["problem"]:
            raise NoWay(f"{self.session.address}: {answer['problem']}")
        files: list[Mapping[str, Any]] = answer["files"]
        if list(map(_identity, files)) != list(map(_identity, packages)):
            raise NoWay(f"{self.session.address}: it tells of other packages than it was asked for")
        return files

    def content(self, sha256: str, size: int) -> Iterator[bytes]:
        """Yield what the host has downloaded under a sha256, block by block, and no more than it has told.

        Raises:
            NoWay: it has it no more, or sends something else than it was asked for.
            HostUnreachable: the link is lost.
        """
        offset = 0
        while offset < size:
            asked = min(PART, size - offset)
            part = self.session.part(sha256, offset, asked).result()
            if not part:
                raise NoWay(f"{self.session.address}: what it downloaded is not there any more")
            if len(part) > asked:
                raise NoWay(f"{self.session.address}: it sent {len(part)} bytes where it was asked for {asked}")
            yield part
            offset += len(part)

    def forget(self) -> None:
        """Have removed what was downloaded; it is gone then.

        Raises:
            HostUnreachable: the link is lost.
        """
        self.session.forget().result()


def fetched(platform: Infrastructure, hosts: Mapping[str, DownloadingHost], store: Store, tell: Tell) -> list[Item]:
    """Return the packages of a platform with their ``sha256``; they are in the store, and on no host any more.

    Args:
        platform: with ``host`` of each package, the address of the one that is asked for it.
        hosts: those whose package managers download packages, by address.
        store: where they are kept.
        tell: is told how far it is.

    Raises:
        NoWay: a host cannot download them.
        WrongHash: what came is not what the host told.
        HostUnreachable: a link is lost.
        StoreNotWritable: they cannot be kept.
    """
    got: list[Item] = []
    for address in dict.fromkeys(item["host"] for item in platform.packages):
        wanted = [item for item in platform.packages if item["host"] == address]
        tell(f"{platform.name}: {address} downloads {len(wanted)} packages")
        try:
            files = hosts[address].download(wanted)
            keep([_wanted(hosts[address], file) for file in files], store, _words(platform, address), tell)
        except Exception:
            hosts[address].forget()
            raise
        # After Ctrl-C nobody waits for that: the agent forgets what it has when it notices.
        hosts[address].forget()
        got += [_with_file(item, file) for item, file in zip(wanted, files, strict=True)]
    return got


def _identity(item: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(item[key] for key in _IDENTITY)


def _words(platform: Infrastructure, address: str) -> str:
    return f"{platform.name}: {{}} of {{}} packages of {address}"


def _wanted(host: DownloadingHost, file: Mapping[str, Any]) -> Wanted:
    what = f"{host.session.address}: {file['name']}-{file['version']}"
    return Wanted(what, file["sha256"], "the host", partial(host.content, file["sha256"], file["size"]))


def _with_file(item: Item, file: Mapping[str, Any]) -> dict[str, str]:
    signature = {"signature": file["signature"]} if file["signature"] else {}
    return {**item, "sha256": file["sha256"], **signature}
