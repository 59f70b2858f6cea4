"""The package index as the machine that runs pystack sees it: which files a distribution has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import httpx2
from unearth import PackageFinder

from installer.agent.reach import split_login
from installer.own_index import Sources
from installer.wheels.choosing import Candidate
from installer.wheels.downloads import Downloads, NoWay, answered, reason
from installer.wheels.lock import Pin
from installer.wheels.once import Once


class Index:
    """A package index, and what stands beside it. May be used by several threads.

    Args:
        sources: where distributions come from.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._downloads = Downloads(sources.proxy, sources.indexes)
        self._finder = PackageFinder(
            # Its protocol is narrower than the client that its own documentation hands to it.
            cast(Any, self._downloads.client),
            index_urls=sources.indexes,
            find_links=sources.find_links,
            ignore_compatibility=True,
        )
        self._found: Once[tuple[str, frozenset[str]], list[Candidate]] = Once()

    @property
    def title(self) -> str:
        """The addresses, without logins."""
        return ", ".join(split_login(url)[0] for url in self._sources.indexes)

    def check(self, names: Sequence[str]) -> None:
        """Ask the indexes for some distributions, until one has one of them.

        Raises:
            NoWay: none has, or none answers.
        """
        reasons: dict[str, str] = {}
        for url in self._sources.indexes:
            for name in names:
                try:
                    answer = self._downloads.client.get(f"{url.rstrip('/')}/{name}/")
                except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
                    reasons[url] = f"{split_login(url)[0]}: {reason(problem)}"
                    break
                if answer.status_code < 400:
                    return
                reasons[url] = f"{split_login(url)[0]} {answered(answer)}"
        if not self._sources.find_links:
            told = "; ".join(reasons.values()) or "none is configured"
            raise NoWay(f"the package index cannot be used: {told}")

    def candidates(self, pin: Pin) -> list[Candidate]:
        """Return the files that the index has of a distribution's version, and whose hashes the lock names.

        Raises:
            NoWay: it does not answer.
        """
        return self._found.get((pin.text, pin.hashes), lambda: self._candidates(pin))

    def _candidates(self, pin: Pin) -> list[Candidate]:
        try:
            packages = self._finder.find_matches(
                pin.text, allow_yanked=True, allow_prereleases=True, hashes={"sha256": sorted(pin.hashes)}
            )
            return [Candidate(link.filename, link.normalized, _sha256(link)) for link in (one.link for one in packages)]
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as problem:
            # A page that is no JSON although it says so is a ValueError.
            raise NoWay(f"{pin.text}: {reason(problem)}") from None

    def content(self, url: str) -> Iterator[bytes]:
        """Yield a file block by block; see ``Downloads.content``."""
        return self._downloads.content(url)

    def close(self) -> None:
        """Let go of all connections."""
        self._downloads.close()


def _sha256(link: Any) -> str:
    return next(iter((link.hash_option or {}).get("sha256", ())), "")
