"""One host's agent as the controller sees it: calls, replies, events, blobs."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

from installer.agent import bootstrap, wire
from installer.engine.contents import NoWheels, Wheels
from installer.errors import HostUnreachable, InternalError, PreflightRefused, PystackError, ResourceFailed
from installer.resources.base import Resource, to_wire
from installer.resources.wheels import LIST
from installer.transport import Connection
from installer.transport.python import PythonMissing

Event = dict[str, Any]

#: Seconds between two signs of life. An agent that hears none for long (``installer.agent.main.SILENCE``) ends itself.
SIGN_OF_LIFE = 20.0
#: Bytes of a file that are sent at a time.
PART = 1 << 18


class AgentSession:
    """An agent on a host.

    Args:
        connection: the host.
        listen: takes the host's events: dicts with ``event``, ``host``, and what goes with them.
        blobs: files by sha256 that the agent may ask for.
        wheels: those that the agent may ask for.
    """

    def __init__(
        self,
        connection: Connection,
        listen: Callable[[Event], None],
        blobs: Mapping[str, Path],
        wheels: Wheels | None = None,
    ) -> None:
        self.address = connection.address
        self._connection = connection
        self._listen = listen
        self._blobs = blobs
        self._wheels: Wheels = wheels or NoWheels()
        self._stream = connection.start(bootstrap.command())
        self._writer = wire.Writer(cast(Any, self._stream))
        self._replies: dict[int, Future[Any]] = {}
        self._ids = itertools.count(1)
        self._in_hand: dict[int, str] = {}
        self._lock = threading.Lock()
        self._ended: PystackError | None = None
        self._started = False
        self._over = threading.Event()
        with contextlib.suppress(wire.LinkLost):
            self._stream.write(bootstrap.source())
        self._reader = threading.Thread(target=self._listen_to_agent, name=f"agent {self.address}", daemon=True)
        self._reader.start()
        threading.Thread(target=self._stay, name=f"signs of life {self.address}", daemon=True).start()

    def probe(self, ask: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Ask for facts and for what preflight wants to know."""
        return self._call("probe", "looking at the host", ask=ask)

    def sources(self, ask: Mapping[str, Any]) -> Future[list[dict[str, str]]]:
        """Ask whether the host reaches what it downloads from; see ``installer.agent.probes.sources``."""
        return self._call("sources", "asking its package sources", ask=ask)

    def packages(
        self, names: Sequence[str], sources: Sequence[str], repositories: Sequence[str], proxies: Mapping[str, str]
    ) -> Future[dict[str, Any]]:
        """Ask what an installation of packages would bring; see ``installer.agent.coming_repositories``."""
        asked = {"names": list(names), "sources": list(sources), "repositories": list(repositories)}
        return self._call("packages", "asking what its packages are", **asked, proxies=dict(proxies))

    def lacking(
        self, names: Sequence[str], repositories: Sequence[str], proxies: Mapping[str, str]
    ) -> Future[dict[str, Any]]:
        """Ask which of some packages no repository of dnf's has; see ``installer.agent.package_offer``."""
        asked = {"names": list(names), "repositories": list(repositories)}
        return self._call("lacking", "asking dnf for packages", **asked, proxies=dict(proxies))

    def download(
        self,
        packages: Sequence[Mapping[str, str]],
        bringing: Sequence[Mapping[str, str]],
        size: int,
        repositories: Sequence[str],
        proxies: Mapping[str, str],
    ) -> Future[dict[str, Any]]:
        """Have the host download packages; see ``installer.agent.package_download.Downloads.fetch``."""
        asked = {"packages": list(packages), "bringing": list(bringing), "size": size}
        asked |= {"repositories": list(repositories), "proxies": dict(proxies)}
        return self._call("download", "downloading packages", **asked)

    def part(self, sha256: str, offset: int, size: int) -> Future[bytes]:
        """Ask for up to so many bytes of a package that it has downloaded."""
        return self._call("part", "sending packages", sha256=sha256, offset=offset, size=size)

    def forget(self) -> Future[bool]:
        """Have the host remove the packages that it has downloaded."""
        return self._call("forget", "removing packages that it has downloaded")

    def plan(self, steps: Mapping[str, list[Resource]]) -> Future[list[dict[str, Any]]]:
        """Give the agent its steps; the result says what differs (see ``installer.agent.apply.changes``)."""
        packed = [{"name": name, "resources": [to_wire(item) for item in items]} for name, items in steps.items()]
        return self._call("plan", "comparing the host with the plan", steps=packed)

    def lock(self, owner: str, run: str, wait: float) -> Future[bool]:
        """Take the host lock; see ``installer.agent.lock.take``."""
        return self._call("lock", "taking the host lock", owner=owner, run=run, wait=wait)

    def apply(self, step: str) -> Future[dict[str, Any]]:
        """Apply a step of the plan; see ``installer.agent.apply.apply``."""
        return self._call("apply", f"role {step}", step=step)

    def close(self) -> None:
        """Say goodbye: the agent ends what it has in hand, and itself."""
        self._over.set()
        with contextlib.suppress(wire.LinkLost):
            self._writer.send({"do": "goodbye", "id": 0})
        self._stream.close()

    def _call(self, do: str, words: str, **arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._ended is not None:
                future.set_exception(self._ended)
                return future
            number = next(self._ids)
            self._replies[number] = future
            self._in_hand[number] = words
        # The thread that reads notices a lost link, and settles the future.
        with contextlib.suppress(wire.LinkLost):
            self._writer.send({"do": do, "id": number, **arguments})
        return future

    def _stay(self) -> None:
        with contextlib.suppress(wire.LinkLost):
            while not self._over.wait(SIGN_OF_LIFE):
                self._writer.send({"do": "stay"})

    def _listen_to_agent(self) -> None:
        try:
            wire.skip_to_ready(self._stream.read)
            self._started = True
            while True:
                self._take(cast(dict[str, Any], wire.read_frame(self._stream.read)))
        except wire.LinkLost as lost:
            self._fail_all(str(lost))
        except Exception as problem:
            # Nobody waits for this thread: those who wait for its replies must hear of it.
            self._fail_all(str(problem), InternalError(f"{self.address}: {type(problem).__name__}: {problem}"))

    def _take(self, message: dict[str, Any]) -> None:
        if "need" in message:
            # A list of wheels may have to be waited for, and a large file takes its time: others are heard meanwhile.
            threading.Thread(
                target=self._bring, args=(message["need"],), name=f"contents {self.address}", daemon=True
            ).start()
        elif "silence" in message:
            self._connection.expect_silence(message["silence"])
        elif "echo" in message:
            self._writer.send({"do": "echo", "id": 0})
        elif "event" in message:
            self._listen({**message, "host": self.address})
        else:
            if "binary" in message:
                message["result"] = wire.read_frame(self._stream.read)
            self._settle(message)

    def _bring(self, name: str) -> None:
        try:
            if name.startswith(LIST):
                self._writer.send({"blob": name}, self._wheels.offer(name))
            else:
                self._send_file(name, self._wheels.path(name) or self._blobs[name])
        except wire.LinkLost:
            # The thread that reads notices, too.
            pass
        except PystackError as problem:
            self._fail_all(str(problem), problem)
        except (KeyError, OSError) as problem:
            self._fail_all(str(problem), ContentLost(self.address, name, problem))
        except Exception as problem:
            self._fail_all(str(problem), InternalError(f"{self.address}: {type(problem).__name__}: {problem}"))

    def _send_file(self, name: str, path: Path) -> None:
        """Send a file in parts: little of it is in memory at a time, and other messages come in between."""
        with path.open("rb") as stream:
            part, following = stream.read(PART), stream.read(PART)
            while following:
                self._writer.send({"blob": name, "more": True}, part)
                part, following = following, stream.read(PART)
            self._writer.send({"blob": name}, part)

    def _settle(self, message: dict[str, Any]) -> None:
        with self._lock:
            future = self._replies.pop(message["reply"])
            self._in_hand.pop(message["reply"])
        if "result" in message:
            future.set_result(message["result"])
        elif "busy" in message:
            future.set_exception(HostBusy(self.address, message["busy"]))
        else:
            trace = "\n".join(message.get("traceback", []))
            future.set_exception(InternalError(f"{self.address}: the agent failed: {message['error']}\n{trace}"))

    def _fail_all(self, said: str, fault: PystackError | None = None) -> None:
        self._over.set()
        code = self._stream.exit_code(2.0)
        with self._lock:
            waiting, doing = list(self._replies.values()), list(self._in_hand.values())
            self._replies.clear()
            self._in_hand.clear()
            if fault is not None:
                self._ended = fault
            elif self._started:
                self._ended = link_lost(self.address, doing, self._stream.errors(), code)
            else:
                self._ended = not_started(self.address, f"{said}\n{self._stream.errors()}", code)
        for future in waiting:
            future.set_exception(self._ended)


class ContentLost(ResourceFailed):
    """The agent asks for something that this machine had when it was told of it.

    Args:
        host: the address.
        name: by which it was asked for.
        problem: why it cannot be sent.
    """

    def __init__(self, host: str, name: str, problem: Exception) -> None:
        why = "it is not there any more" if isinstance(problem, KeyError) else str(problem)
        super().__init__(
            f"{host}: what the host needs cannot be sent from this machine: {name}: {why}",
            "somebody may have removed it meanwhile, from ~/.cache/pystack or pystack's own folder; "
            "run the same command again: it carries on",
        )


class HostBusy(PreflightRefused):
    """Another installer holds the host lock.

    Args:
        host: the address.
        holder: what the lock says: ``owner``, ``run``, ``since``; and its ``age`` in seconds.
    """

    def __init__(self, host: str, holder: Mapping[str, Any]) -> None:
        owner, run = holder.get("owner", "another installer"), holder.get("run", "?")
        age = f", for {lasting(holder['age'])}" if "age" in holder else ""
        super().__init__(
            f"{host}: {owner} is installing on this host (run {run}{age})",
            "wait until that run has ended, then run the same command again",
        )
        self.host = host
        self.holder = holder


def lasting(seconds: float) -> str:
    """Return a duration in its largest unit: ``3 minutes``."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}{'s' if seconds >= 2 * length else ''}"
    return f"{max(seconds, 0):.0f} seconds"


def link_lost(host: str, doing: list[str], errors: str, code: int | None) -> HostUnreachable:
    """Return the error for an agent that went away: what it was doing, and what it said last."""
    what = ", ".join(sorted(set(doing))) or "nothing"
    ended = f" (the agent ended with code {code})" if code not in (None, 0) else ""
    said = f"\n  {errors.strip().splitlines()[-1]}" if errors.strip() else ""
    return HostUnreachable(
        host,
        f"{host}: the link was lost{ended} while it was at: {what}{said}",
        "the host finishes the resource it has in hand; run the same command again, it carries on from there",
    )


def not_started(host: str, said: str, code: int | None) -> PystackError:
    """Return the error for an agent that never came up.

    Args:
        host: the address.
        said: what came instead of it.
        code: how its command ended, as far as is known.
    """
    if code == bootstrap.NO_PYTHON:
        return PythonMissing(host)
    lines = [line for line in said.splitlines() if line.strip()] or ["the host said nothing"]
    ended = "" if code is None else f" (code {code})"
    return HostUnreachable(
        host,
        f"{host}: the login works, but commands do not run there{ended}:\n  " + "\n  ".join(lines[-4:]),
        "the account needs a login shell that runs commands; cloud images want another user than root",
    )
