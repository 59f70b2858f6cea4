"""All checks one after another: none keeps another from being looked at, and what they made is removed."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import paramiko
from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

from installer import tempest
from installer.errors import PystackError
from installer.outcome import Verdict
from installer.verify import access, denials, endpoints, services, storage
from installer.verify.checks import TEMPEST, Check
from installer.verify.cleaning import Swept, sweep
from installer.verify.failing import CheckFailed, NotLoggedIn
from installer.verify.instances import Workshop
from installer.verify.live import Live
from installer.verify.names import FOREIGN_SECONDS, PREFIX, is_left_behind, new_run, operator

#: By the check's name.
LOOKS: dict[str, Callable[[Live], Iterator[Verdict]]] = {
    "login": access.verdicts,
    "endpoints": endpoints.verdicts,
    "compute": services.compute,
    "network": services.network,
    "volume": services.volume,
    "orchestration": services.orchestration,
}
TRIALS: dict[str, Callable[[Workshop], Iterator[Verdict]]] = {
    "instance": storage.from_image,
    "attached-volume": storage.with_volume,
    "volume-boot": storage.from_volume,
}
#: Those that come last, in this order.
LAST: dict[str, Callable[[Live], Iterator[Verdict]]] = {TEMPEST.name: tempest.verdicts, "denials": denials.verdicts}
REMOVAL = "removal"
#: In the folder of the admin's files.
KEY_FILE, LOCK_FILE = "verify_key", ".verify.lock"


class Looking:
    """One verification.

    Args:
        live: the cloud.
        checks: what to look at.
        keep: leave what was made, for the operator to look at.
    """

    def __init__(self, live: Live, checks: Sequence[Check], keep: bool) -> None:
        self._live = live
        self._checks = checks
        self._keep = keep
        self._verdicts: list[Verdict] = []

    def run(self) -> list[Verdict]:
        """Look at everything and return the verdicts; each is told as it comes."""
        for check in self._checks:
            if check.name in LOOKS:
                self._look(check, lambda check=check: LOOKS[check.name](self._live))  # type: ignore[misc]
        trials = [check for check in self._checks if check.boots]
        if any(not check.lacks(self._live.answers) for check in trials):
            self._try(trials)
        else:
            for check in trials:
                self._look(check, lambda: iter(()))
        wanted = {check.name: check for check in self._checks}
        for name, look in LAST.items():
            if name in wanted:
                self._look(wanted[name], lambda look=look: look(self._live))  # type: ignore[misc]
        return self._verdicts

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other verify of this operator is at work on this cloud: each removes what others left."""
        try:
            self._live.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._live.folder / LOCK_FILE, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError:
            # Who may not write there has no verify that could be in the way either.
            yield
            return

        def look() -> tuple[bool | None, str]:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None, ""
            return True, ""

        try:
            self._live.wait("another verify of this cloud to end", FOREIGN_SECONDS, look)
            yield
        finally:
            os.close(descriptor)

    def _try(self, trials: Sequence[Check]) -> None:
        with self._alone():
            self._try_alone(trials)

    def _try_alone(self, trials: Sequence[Check]) -> None:
        who = operator()
        workshop = Workshop(self._live, new_run(who, time.time()), self._keep)
        self._begin(REMOVAL)
        self._take_remains(who)
        self._end(REMOVAL)
        try:
            for check in trials:
                self._look(check, lambda check=check: TRIALS[check.name](workshop))  # type: ignore[misc]
        finally:
            self._begin(REMOVAL)
            if self._keep:
                self._tell_kept(workshop)
            else:
                last = self._swept(lambda name: name.startswith(workshop.run))
                self._take_swept(Swept(workshop.removed + last.removed, last.left))
            workshop.doors.close()
            self._end(REMOVAL)

    def _look(self, check: Check, look: Callable[[], Iterator[Verdict]]) -> None:
        lacks = check.lacks(self._live.answers)
        if lacks:
            self._take(
                Verdict(check.does, "skipped", f"left out: {', '.join(f'{name}=n' for name in lacks)}"), check.name
            )
            return
        self._begin(check.name)
        try:
            for verdict in look():
                self._take(verdict, check.name)
        except NotLoggedIn as problem:
            told = any(verdict.failed and verdict.check == "login" for verdict in self._verdicts)
            verdict = problem.verdict(check.does)
            self._take(replace(verdict, outcome="skipped" if told else verdict.outcome), check.name)
        except CheckFailed as problem:
            self._take(problem.verdict(check.does), check.name)
        except (SDKException, ClientException, paramiko.SSHException, PystackError, OSError) as problem:
            remedy = "on the controller: `journalctl -p warning -u 'openstack-*' -n 100`"
            self._take(Verdict(check.does, "fail", str(problem) or repr(problem), "", remedy), check.name)
        finally:
            self._end(check.name)

    def _take(self, verdict: Verdict, check: str) -> None:
        own = replace(verdict, check=check)
        self._verdicts.append(own)
        self._live.listen({"event": "verdict", **asdict(own)})

    def _begin(self, name: str) -> None:
        self._live.check, self._since = name, time.monotonic()
        self._live.listen({"event": "check", "check": name, "what": "started"})

    def _end(self, name: str) -> None:
        seconds = round(time.monotonic() - self._since, 3)
        self._live.listen({"event": "check", "check": name, "what": "ended", "seconds": seconds})

    def _swept(self, is_due: Callable[[str], bool]) -> Swept:
        try:
            return sweep(self._live, is_due)
        except (SDKException, ClientException, CheckFailed) as problem:
            return Swept(left=[str(problem)])

    def _take_remains(self, who: str) -> None:
        (self._live.folder / KEY_FILE).unlink(missing_ok=True)
        swept = self._swept(lambda name: is_left_behind(name, who, time.time()))
        if swept.removed:
            title = "what an earlier verify left behind is removed"
            self._take(Verdict(title, "success", swept.words), REMOVAL)

    def _take_swept(self, swept: Swept) -> None:
        title = "what verify made is removed"
        if not swept.left:
            self._take(Verdict(title, "success", f"{swept.words}; nothing is left"), REMOVAL)
            return
        remedy = f"the next verify tries again; by hand: remove what is called {PREFIX}* as admin"
        self._take(Verdict(title, "fail", "; ".join(swept.left), "it takes up room in the cloud", remedy), REMOVAL)

    def _tell_kept(self, workshop: Workshop) -> None:
        title = "what verify made is kept"
        logins = []
        if workshop.kept:
            path = _write_key(self._live.folder / KEY_FILE, workshop.key.private)
            logins = [f"ssh -i {path} {one.guest.user}@{one.guest.address}" for one in workshop.kept]
        found = f"everything called {workshop.run}*; the next verify that starts an instance removes it"
        self._take(Verdict(title, "success", "; ".join([found, *logins])), REMOVAL)


def _write_key(path: Path, text: str) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    return path
