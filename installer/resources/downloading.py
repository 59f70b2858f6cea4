"""Files from elsewhere: downloaded with progress, carried on where they broke off, and known by their checksum."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from typing import Any, Callable, Iterator, Mapping, Optional
from urllib.parse import urlsplit

from installer.agent.host import Host
from installer.resources.base import CannotFix

BLOCK = 1 << 20
#: Seconds between two lines of progress, of silence until a connection is given up, and until the next try.
TELL, SILENCE, PAUSE = 1.0, 30.0, 2.0
TRIES = 5
MIB = 1 << 20


class Progress:
    """Tells how far something of known or unknown size is: ``image x: 12 of 20 MiB, 60 %, 3.2 MiB/s, 3 s left``.

    Args:
        what: it in words.
        host: whom to tell.
        total: bytes; 0 if nobody knows.
        done: bytes that were there before.
    """

    def __init__(self, what: str, host: Host, total: int, done: int = 0) -> None:
        self._what = what
        self._host = host
        self._total = total
        self._done = self._before = done
        self._begun = self._told = time.monotonic()

    def add(self, number: int) -> None:
        """Count bytes, and tell at most once per second."""
        self._done += number
        now = time.monotonic()
        if now - self._told >= TELL:
            self._told = now
            self._host.progress(self._line(now - self._begun))

    def _line(self, seconds: float) -> str:
        rate = (self._done - self._before) / seconds
        speed = f"{rate / MIB:.1f} MiB/s"
        if not self._total:
            return f"{self._what}: {self._done / MIB:.0f} MiB, {speed}"
        share = f"{self._done / MIB:.0f} of {self._total / MIB:.0f} MiB, {100 * self._done // self._total} %"
        left = f"{(self._total - self._done) / rate:.0f} s left" if rate else "standing still"
        return f"{self._what}: {share}, {speed}, {left}"


def blocks(path: str, progress: Progress, digest: Any) -> Iterator[bytes]:
    """Yield a file block by block, counted and digested."""
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(BLOCK), b""):
            digest.update(block)
            progress.add(len(block))
            yield block


def sha256_of(path: str) -> str:
    """Return the sha256 of a file as 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def download(url: str, path: str, what: str, proxies: Mapping[str, str], host: Host) -> None:
    """Download a file whole; what an earlier try has brought stays and is carried on.

    Args:
        url: http or https.
        path: where it is put in the end; until then it is kept beside it, with ``.part``.
        what: it in words.
        proxies: proxy by scheme; none leaves them to the host.

    Raises:
        CannotFix: the server refuses, or breaks off too often.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise CannotFix(f"{what}: {url} is not an address of http or https")
    part = f"{path}.part"
    problem = ""
    for attempt in range(TRIES):
        if attempt:
            host.progress(f"{what}: {problem}; trying again")
            time.sleep(PAUSE * attempt)
        try:
            _fetch(url, part, what, _opener(proxies), host)
            os.replace(part, path)
            return
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code < 500:
                    raise CannotFix(f"{what}: {url} answers {answer.code} {answer.reason}") from None
                problem = f"the server answers {answer.code}"
        except (OSError, http.client.HTTPException) as failure:
            problem = str(getattr(failure, "reason", None) or failure or type(failure).__name__)
    raise CannotFix(f"{what} could not be downloaded from {url}: {problem} ({TRIES} tries)")


def _opener(proxies: Mapping[str, str]) -> urllib.request.OpenerDirector:
    handlers = [urllib.request.ProxyHandler(dict(proxies))] if proxies else []
    return urllib.request.build_opener(*handlers)


def _fetch(url: str, part: str, what: str, opener: Any, host: Host) -> None:
    there = os.path.getsize(part) if os.path.exists(part) else 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    try:
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=SILENCE)  # noqa: S310 - checked
    except urllib.error.HTTPError as refused:
        if refused.code != 416:
            raise
        # Nothing comes after what is there: it was whole already, or it is of another file.
        with refused:
            size = refused.headers.get("Content-Range", "").rpartition("/")[2]
        if size != str(there):
            os.unlink(part)
            raise ConnectionError("the file has changed on the server") from None
        return
    with answer:
        goes_on = answer.status == 206
        length = answer.headers.get("Content-Length")
        before = there if goes_on else 0
        total = before + int(length) if length else 0
        progress = Progress(f"downloading {what}", host, total, before)
        with open(part, "ab" if goes_on else "wb") as stream:
            _copy(lambda: answer.read(BLOCK), stream.write, progress.add)
    got = os.path.getsize(part)
    if total and got < total:
        raise ConnectionError(f"the server broke off after {got} of {total} bytes")


def _copy(read: Callable[[], bytes], write: Callable[[bytes], Any], count: Callable[[int], Optional[None]]) -> None:
    for block in iter(read, b""):
        write(block)
        count(len(block))
