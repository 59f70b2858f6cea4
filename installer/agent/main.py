"""The agent's loop: reads requests from the controller, answers each, and leaves nothing behind.

Requests are JSON objects with ``do`` and ``id``; each gets ``{"reply": id, "result": ...}`` or ``{"reply": id,
"error": ...}``; ``{"reply": id, "binary": true}`` has its result in the frame behind it. What happens meanwhile is told
by ``{"event": ...}``. A request runs in a thread of its own, so that several steps can be applied side by side.
``stay`` is a sign of life that wants no answer.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import traceback
from typing import Any, Callable, Dict, List, Optional

from installer.agent import apply, lock, package_download, package_offer, probes, wire
from installer.agent.host import Host
from installer.agent.package_list import Asking
from installer.resources import load_all
from installer.resources.base import from_wire
from installer.resources.secret import MASK, unseen

#: Seconds without a word after which the controller counts as gone. When its link is cut (a notebook that changes
#: networks), sshd may notice hours later, and as long the next run would wait for the host lock.
SILENCE = 120.0


class Agent:
    """One session with one controller.

    Args:
        read: returns up to n bytes of the controller's stream.
        writer: where replies and events go.
        umask: what a login on this host has.
    """

    def __init__(self, read: Callable[[int], bytes], writer: wire.Writer, umask: int = 0o022) -> None:
        self._umask = umask
        self._read = read
        self._writer = writer
        self._steps: Dict[str, apply.Step] = {}
        self._lock_fd: Optional[int] = None
        self._gone = threading.Event()
        self._blobs: Dict[str, bytes] = {}
        self._parts: Dict[str, List[bytes]] = {}
        self._awaited: Dict[str, int] = {}
        self._blob_came = threading.Condition()
        self._echoes = 0
        self._echo_came = threading.Condition()
        self._secrets: List[str] = []
        self._downloads = package_download.Downloads()
        self._threads: List[threading.Thread] = []
        # Compiling all resource types takes longer than the first question, which is mostly waiting.
        self._loading = threading.Thread(target=load_all, daemon=True)
        self._loading.start()

    def serve(self) -> None:
        """Answer requests until the controller says goodbye or is gone; then end what is in hand, and stop."""
        try:
            while True:
                message = wire.read_frame(self._read)
                if not isinstance(message, dict):
                    raise wire.LinkLost("a binary frame that nobody announced")
                if "blob" in message:
                    self._keep_blob(message["blob"], wire.read_frame(self._read), message.get("more", False))
                elif message["do"] == "goodbye":
                    break
                elif message["do"] == "echo":
                    self._count_echo()
                elif message["do"] == "stay":
                    continue
                else:
                    thread = threading.Thread(target=self._answer, args=(message,), daemon=True)
                    thread.start()
                    self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
        except wire.LinkLost:
            pass
        self._gone.set()
        for waiting in (self._blob_came, self._echo_came):
            with waiting:
                waiting.notify_all()
        for thread in self._threads:
            thread.join()
        self._downloads.remove()

    def _answer(self, request: Dict[str, Any]) -> None:
        try:
            result = getattr(self, f"_do_{request['do']}")(request)
            if isinstance(result, bytes):
                self._send({"reply": request["id"], "binary": True}, result)
            else:
                self._send({"reply": request["id"], "result": result})
        except lock.Busy as busy:
            self._send({"reply": request["id"], "busy": busy.holder})
        except BaseException as problem:
            self._send(
                {
                    "reply": request["id"],
                    "error": f"{type(problem).__name__}: {problem}",
                    "traceback": traceback.format_exc().splitlines()[-20:],
                }
            )

    def _do_probe(self, request: Dict[str, Any]) -> Dict[str, Any]:
        return probes.probe(request["ask"], self._host("probe"), self._umask)

    def _do_sources(self, request: Dict[str, Any]) -> List[Dict[str, str]]:
        return probes.sources(request["ask"], self._host("sources"))

    def _do_packages(self, request: Dict[str, Any]) -> Dict[str, Any]:
        names, sources, repositories = request["names"], request["sources"], request["repositories"]
        return self._downloads.would_install(names, sources, repositories, self._asking(request))

    def _do_lacking(self, request: Dict[str, Any]) -> Dict[str, Any]:
        return package_offer.lacking(request["names"], request["repositories"], self._asking(request))

    def _do_download(self, request: Dict[str, Any]) -> Dict[str, Any]:
        packages, bringing, size = request["packages"], request["bringing"], request["size"]
        return self._downloads.fetch(packages, bringing, size, request["repositories"], self._asking(request))

    def _asking(self, request: Dict[str, Any]) -> Asking:
        return Asking(self._host("packages"), request["proxies"], self._gone.is_set)

    def _do_part(self, request: Dict[str, Any]) -> bytes:
        return self._downloads.part(request["sha256"], request["offset"], request["size"])

    def _do_forget(self, _request: Dict[str, Any]) -> bool:
        self._downloads.remove()
        return True

    def _do_plan(self, request: Dict[str, Any]) -> List[Dict[str, Any]]:
        self._loading.join()
        steps = [
            apply.Step(step["name"], tuple(from_wire(resource) for resource in step["resources"]))
            for step in request["steps"]
        ]
        self._steps = {step.name: step for step in steps}
        for step in steps:
            for resource in step.resources:
                self._secrets += [text for secret in resource.reads_secrets() for text in unseen(secret) if text]
        self._secrets = sorted(set(self._secrets), key=len, reverse=True)
        return apply.changes(steps, self._host("plan"))

    def _do_lock(self, request: Dict[str, Any]) -> bool:
        if self._lock_fd is None:
            self._lock_fd = lock.take(
                request["owner"],
                request["run"],
                request["wait"],
                lambda text: self._send({"event": "progress", "step": "lock", "text": text}),
            )
        return True

    def _do_apply(self, request: Dict[str, Any]) -> Dict[str, Any]:
        if self._lock_fd is None:
            raise RuntimeError("apply without the host lock")
        name = request["step"]

        def tell(event: Dict[str, Any]) -> None:
            self._send({"event": "resource", "step": name, **event})

        return apply.apply(self._steps[name], self._host(name), tell, self._gone.is_set)

    def _host(self, step: str) -> Host:
        return Host(
            fetch=self._fetch,
            progress=lambda text: self._send({"event": "progress", "step": step, "text": text}),
            remark=lambda text: self._send({"event": "progress", "step": step, "text": text, "stays": True}),
            lock_fd=self._lock_fd,
            echo=self._hear_controller,
            silence=lambda seconds: self._send({"silence": seconds}),
        )

    def _fetch(self, name: str) -> bytes:
        """Return what the controller has under a name. Once all who wait for it have it, it is forgotten."""
        with self._blob_came:
            self._awaited[name] = self._awaited.get(name, 0) + 1
            try:
                if self._awaited[name] == 1:
                    self._send({"need": name}, masked=False)
                while name not in self._blobs:
                    if self._gone.is_set():
                        raise wire.LinkLost("the controller went away while content was awaited")
                    self._blob_came.wait()
                return self._blobs[name]
            finally:
                self._awaited[name] -= 1
                if not self._awaited[name]:
                    del self._awaited[name]
                    self._blobs.pop(name, None)

    def _hear_controller(self, seconds: float) -> bool:
        with self._echo_came:
            # One that was asked for earlier, and comes late, is a sign of life too.
            before = self._echoes
            self._send({"echo": True})
            self._echo_came.wait_for(lambda: self._echoes > before or self._gone.is_set(), seconds)
            return self._echoes > before

    def _count_echo(self) -> None:
        with self._echo_came:
            self._echoes += 1
            self._echo_came.notify_all()

    def _keep_blob(self, name: str, part: Any, more: bool = False) -> None:
        parts = self._parts.setdefault(name, [])
        parts.append(part)
        if more:
            return
        del self._parts[name]
        with self._blob_came:
            self._blobs[name] = b"".join(parts)
            self._blob_came.notify_all()

    def _send(self, value: Dict[str, Any], *binary: bytes, masked: bool = True) -> None:
        """Send a message with every known secret masked; when the controller is gone, work goes on unheard."""
        try:
            self._writer.send(_mask(value, self._secrets) if masked else value, *binary)
        except wire.LinkLost:
            self._gone.set()


#: Names of resources and steps: no secret is ever in one, and a password that equals one must not hide it.
_NAMES = ("resource", "step", "changed")


def _mask(value: Any, secrets: List[str]) -> Any:
    """Return a value in which no secret of four characters or more shows; shorter ones are in ordinary words."""
    if isinstance(value, str):
        for secret in secrets:
            if len(secret) >= 4:
                value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {key: item if key in _NAMES else _mask(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(item, secrets) for item in value]
    return value


def reader_of(descriptor: int, silence: float = SILENCE) -> Callable[[int], bytes]:
    """Return what reads up to n bytes of a descriptor: nothing at its end, or after so many seconds without any."""

    def read(size: int) -> bytes:
        ready, _, _ = select.select([descriptor], [], [], silence)
        return os.read(descriptor, size) if ready else b""

    return read


def main() -> None:
    """Serve the controller at the other end of standard input and output."""
    for name in (signal.SIGHUP, signal.SIGPIPE, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    umask = os.umask(0o022)
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    # What a library prints must not end up between frames.
    os.dup2(2, 1)
    channel.write(wire.READY)
    Agent(reader_of(0), wire.Writer(channel), umask).serve()
    os._exit(0)
