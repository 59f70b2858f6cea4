"""Packages that no address leads to from here: hosts download them, and they come over the links to the hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from installer.bundle.manifest import Infrastructure
from installer.engine.session import AgentSession
from installer.wheels import side_by_side
from installer.wheels.downloads import NoWay
from installer.wheels.store import Store, WrongHash

#: Bytes that are asked for at a time, and of how many packages.
PART = 1 << 20
AT_ONCE = 4

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """A host whose package manager downloads packages for a bundle.

    Args:
        session: its agent.
        repositories: ids of those that are to be used, too, if the host has them and leaves them off.
        proxies: additions to its environment.
    """

    session: AgentSession
    repositories: Sequence[str]
    proxies: Mapping[str, str]

    def download(self, packages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Have packages downloaded; see ``installer.agent.package_download.Downloads.fetch``.

        Raises:
            HostUnreachable: the link is lost.
        """
        return self.session.download(packages, self.repositories, self.proxies).result()

    def content(self, sha256: str, size: int) -> Iterator[bytes]:
        """Yield what the host has downloaded under a sha256, block by block.

        Raises:
            NoWay: it has it no more.
            HostUnreachable: the link is lost.
        """
        offset = 0
        while offset < size:
            part = self.session.part(sha256, offset, PART).result()
            if not part:
                raise NoWay(f"{self.session.address}: what it downloaded is not there any more")
            yield part
            offset += len(part)


def fetched(platform: Infrastructure, hosts: Mapping[str, Source], store: Store, tell: Tell) -> list[Mapping[str, str]]:
    """Return the packages of a platform with their ``sha256``; they are in the store.

    Args:
        platform: with ``host`` of each package, the one that is asked for it.
        hosts: by address.
        store: where they are kept.
        tell: is told how far it is.

    Raises:
        NoWay: a host cannot download them.
        WrongHash: what came is not what the host told.
        HostUnreachable: a link is lost.
        StoreNotWritable: they cannot be kept.
    """
    got: list[Mapping[str, str]] = []
    for address in dict.fromkeys(item["host"] for item in platform.packages):
        wanted = [item for item in platform.packages if item["host"] == address]
        tell(f"{platform.name}: {address} downloads {len(wanted)} packages")
        answer = hosts[address].download(wanted)
        if answer["problem"]:
            raise NoWay(f"{address}: {answer['problem']}")
        _keep_all(answer["files"], hosts[address], store, f"{platform.name}: {{}} of {{}} packages of {address}", tell)
        got += map(_with_file, wanted, answer["files"])
    return got


def _keep_all(files: Sequence[Mapping[str, Any]], host: Source, store: Store, words: str, tell: Tell) -> None:
    futures = side_by_side.start(lambda number: _keep(files[number], host, store), range(len(files)), AT_ONCE)
    for number in side_by_side.done(futures):
        if number % 20 == 0 or number == len(files):
            tell(words.format(number, len(files)))


def _keep(file: Mapping[str, Any], host: Source, store: Store) -> None:
    if store.has(file["sha256"]):
        return
    try:
        store.add(host.content(file["sha256"], file["size"]), {file["sha256"]})
    except WrongHash as wrong:
        what = f"{host.session.address}: {file['name']}-{file['version']}"
        raise WrongHash(f"{what} came with the sha256 {wrong}, and the host says {file['sha256']}") from None


def _with_file(item: Mapping[str, str], file: Mapping[str, Any]) -> dict[str, str]:
    signature = {"signature": file["signature"]} if file["signature"] else {}
    return {**item, "sha256": file["sha256"], **signature}
