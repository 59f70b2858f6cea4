"""A systemd unit. Whether it restarts follows from what is, not from what happened.

A unit is stale when a file that it reads has changed since it started. So a killed run forgets no restart, and neither
a reboot nor a second run makes one that is not needed.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import threading
import time
from typing import Any, ClassVar, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from installer.agent import denials
from installer.agent.host import CommandFailed, Host
from installer.agent.units import parse_show
from installer.resources.base import Actual, CannotFix, Resource, State, Unknown

PROPERTIES = (
    "Id,LoadState,LoadError,ActiveState,SubState,Result,UnitFileState,Type,MainPID,ExecMainStatus,"
    "ExecMainStartTimestamp,InactiveExitTimestamp,StateChangeTimestamp,ReloadResult,NeedDaemonReload"
)
#: What `systemctl enable` has nothing to do for: see the table of is-enabled in systemctl(1).
ALWAYS_ENABLED = ("static", "alias", "indirect", "generated", "transient")
#: Seconds that a service must have lived before it counts as started; one that tells systemd when it is ready need not.
GRACE = 1.0
JOURNAL_LINES = 20

#: Held while systemd reads its files again, and while it is asked. Between the two halves of `systemctl enable` it says
#: of every unit that its file has changed (systemd 257, ``unit_file_state_outdated`` in src/core), and other steps run.
MANAGER = threading.RLock()

Shown = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Unit(Resource):
    """A systemd unit that is enabled and active, or neither.

    Args:
        unit: its name with suffix, such as ``mariadb.service``.
        enabled: it starts at boot.
        active: it runs now.
        reads: absolute paths of files and directories; when one has changed since the unit started, or what lies
            directly in the directory, it restarts. The unit's own file belongs here too when pystack writes it.
        reload: have it read them again (``systemctl reload``) instead.
        limit: seconds until it must be active.
        packaged: it comes with a package of this host, which may switch it on.
    """

    kind: ClassVar[str] = "unit"

    unit: str
    enabled: bool = True
    active: bool = True
    reads: Tuple[str, ...] = ()
    reload: bool = False
    limit: int = 180
    packaged: bool = False

    @property
    def name(self) -> str:
        return self.unit

    def expected(self) -> State:
        return {
            "enabled": "yes" if self.enabled else "no",
            "active": "yes" if self.active else "no",
            "definition": "loaded",
            "stale": [],
        }

    @classmethod
    def query(cls, resources: Sequence[Unit], host: Host) -> Dict[str, Actual]:
        units = [resource.unit for resource in resources]
        try:
            shown = show(units, host)
        except CommandFailed as problem:
            words = problem.completed.err.strip().splitlines()
            return {resource.id: Unknown(words[-1] if words else str(problem)) for resource in resources}
        return {resource.id: resource.state(shown[resource.unit]) for resource in resources}

    def state(self, shown: Shown) -> Actual:
        """Return the actual state from the properties that systemctl shows; reads when files have changed."""
        load = shown["LoadState"]
        if load == "not-found":
            if self.enabled or self.active:
                return None
            return Unknown("it comes with a package that is not installed yet") if self.packaged else self.expected()
        running = shown["ActiveState"] in ("active", "reloading", "refreshing")
        return {
            "enabled": self._enabled(shown["UnitFileState"]),
            "active": "yes" if running else _not_running(shown, wanted=self.active),
            "definition": _definition(shown),
            "stale": self._stale(shown) if running and self.active else [],
        }

    def _stale(self, shown: Shown) -> List[str]:
        # A reload that failed leaves the unit active, with a new time and the old configuration.
        if self.reload and shown.get("ReloadResult", "success") != "success":
            return list(self.reads)
        return newer(self.reads, started(shown, self.reload))

    def _enabled(self, unit_file: str) -> str:
        wanted = "yes" if self.enabled else "no"
        if unit_file == "masked" and not self.enabled:
            return wanted
        return {"enabled": "yes", "disabled": "no", "": wanted}.get(
            unit_file, wanted if unit_file in ALWAYS_ENABLED else unit_file
        )

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[Unit, Actual]], host: Host) -> None:
        shown = show([item.unit for item, _ in differing], host)
        unseen = any(map(is_drop_in, (path for item, _ in differing for path in item.reads)))
        if unseen or any(needs_daemon_reload(properties) for properties in shown.values()):
            with MANAGER:
                host.run(["systemctl", "daemon-reload"])
            shown = show([item.unit for item, _ in differing], host)
        states: List[Tuple[Unit, Dict[str, Any]]] = []
        for item, _ in differing:
            refuse(item, shown[item.unit])
            state = item.state(shown[item.unit])
            states.append((item, state if isinstance(state, dict) else {}))
        _enable(states, host)
        _start(states, shown, host)

    def affected_by(self, differing: Collection[str]) -> List[str]:
        if not self.active:
            return []
        changed = {identity.partition(":")[2] for identity in differing if not identity.startswith("directory:")}
        verb = "reload" if self.reload else "restart"
        return [
            f"{verb}: reads {path}"
            for path in self.reads
            if any(path == other or (other.startswith("/") and path.startswith(f"{other}/")) for other in changed)
        ]

    def diagnose(self, host: Host) -> List[str]:
        shown = show([self.unit], host)[self.unit]
        if shown["LoadState"] in ("masked", "not-found"):
            return []
        words = f"{shown['ActiveState']} ({shown['SubState']}), result {shown.get('Result', '')}"
        return [
            f"{self.unit}: {words}, main process ended with {shown.get('ExecMainStatus', '?')}",
            *journal(self.unit, host),
            *failed_needs(self.unit, host),
            *denials.recent(host),
        ]


def show(units: Sequence[str], host: Host) -> Dict[str, Shown]:
    """Return what systemctl shows of units, by the name asked for, in one command. Changes nothing."""
    names = list(dict.fromkeys(units))
    # --timestamp exists since systemd 247, its us+utc since 248; Debian 12 and EL 9 have 252.
    argv = ["systemctl", "show", "--no-pager", "--timestamp=us+utc", f"--property={PROPERTIES}", "--", *names]
    with MANAGER:
        return dict(zip(names, parse_show(host.run(argv).out)))


def journal(unit: str, host: Host) -> List[str]:
    """Return the last lines of a unit's journal, without empty ones."""
    argv = ["journalctl", f"--unit={unit}", f"--lines={JOURNAL_LINES}", "--no-pager", "--output=cat"]
    return [line for line in host.run(argv, expect=None, timeout=20).out.splitlines() if line.strip()]


def failed_needs(unit: str, host: Host) -> List[str]:
    """Return what units that a unit cannot do without have to say, as far as they have failed: it says only that."""
    try:
        needs = host.run(["systemctl", "show", "--property=Requires", "--value", "--", unit], expect=None).out.split()
        shown = show(needs, host) if needs else {}
        failed = [name for name, properties in shown.items() if properties.get("ActiveState") == "failed"]
        return [line for name in failed for line in (f"it needs {name}, which failed:", *journal(name, host))]
    except CommandFailed:
        # What is known without it must be told all the same.
        return []


def started(shown: Shown, reload: bool) -> Optional[float]:
    """Return when a unit began to read its files, in seconds since 1970; None if systemd does not say."""
    if reload:
        # A reload leaves the start as it was; the change from reloading to active is what it leaves.
        return timestamp(shown.get("StateChangeTimestamp", ""))
    if shown.get("MainPID", "0") != "0":
        return timestamp(shown.get("ExecMainStartTimestamp", ""))
    # One without a main process, such as a oneshot that has ended, read its files after it left the inactive state.
    return timestamp(shown.get("InactiveExitTimestamp", ""))


def timestamp(text: str) -> Optional[float]:
    """Return seconds since 1970 of ``Sun 2026-11-22 14:01:07.131480 UTC``; None for an empty one."""
    if text in ("", "n/a"):
        return None
    moment = datetime.datetime.strptime(text.split(" ", 1)[1], "%Y-%m-%d %H:%M:%S.%f UTC")
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()


def newer(paths: Iterable[str], moment: Optional[float]) -> List[str]:
    """Return the paths that have changed since a moment; one that does not exist has not."""
    return [path for path in paths if moment is not None and changed_at(path) > moment]


def changed_at(path: str) -> float:
    """Return when what a path stands for changed last, in seconds since 1970; 0 if it does not exist.

    The change time counts, not the modification time: it moves when a file is renamed into place, when only its owner
    or mode changes, and when ``cp -p`` or a package brings an old modification time along. A link counts with its
    target, a directory with what lies directly in it.
    """
    return max(map(_changed_at, _with_entries(path)))


def _with_entries(path: str) -> List[str]:
    try:
        return [path, *(os.path.join(path, entry) for entry in os.listdir(path))]
    except (FileNotFoundError, NotADirectoryError):
        return [path]


def _changed_at(path: str) -> float:
    try:
        return max(os.stat(path).st_ctime, os.lstat(path).st_ctime)
    except FileNotFoundError:
        return 0.0


def is_drop_in(path: str) -> bool:
    """Tell whether a file adds to the definition of a unit.

    systemd remembers which folders of such files there are. Of a new one it says nothing until the unit has been
    started without what is in it (seen with systemd 252).
    """
    return path.startswith("/etc/systemd/system/") and os.path.dirname(path).endswith(".d")


def needs_daemon_reload(shown: Shown) -> bool:
    """Tell whether systemd must read its unit files again before it can be asked for this unit."""
    return shown.get("NeedDaemonReload") == "yes" or shown["LoadState"] not in ("loaded", "masked")


def refuse(item: Unit, shown: Shown) -> None:
    """Refuse what cannot be started.

    Raises:
        CannotFix: no such unit, masked, or its file is wrong.
    """
    if shown["LoadState"] == "not-found" and (item.enabled or item.active):
        raise CannotFix(f"systemd knows no unit {item.unit}: no package or file that brings it is installed")
    if shown["LoadState"] == "masked" and (item.enabled or item.active):
        raise CannotFix(
            f"{item.unit} is masked: somebody has decided that it must not run; "
            f"if it may, run `systemctl unmask {item.unit}` on the host"
        )
    if shown["LoadState"] not in ("loaded", "masked", "not-found"):
        raise CannotFix(f"systemd cannot load {item.unit}: {_load_error(shown)}")


def _not_running(shown: Shown, wanted: bool) -> str:
    state = shown["ActiveState"]
    if state == "failed":
        return f"failed ({shown.get('Result', '')}, status {shown.get('ExecMainStatus', '')})"
    if state == "inactive":
        return "no"
    return state if not wanted else f"{state} ({shown.get('SubState', '')})"


def _definition(shown: Shown) -> str:
    if shown["LoadState"] not in ("loaded", "masked"):
        return f"{shown['LoadState']}: {_load_error(shown)}"
    return "changed on disk" if shown.get("NeedDaemonReload") == "yes" else "loaded"


def _load_error(shown: Shown) -> str:
    # As in: LoadError=org.freedesktop.systemd1.NoSuchUnit "Unit nosuch.service not found."
    return shown.get("LoadError", "").partition(" ")[2].strip('"') or shown["LoadState"]


def _enable(states: Sequence[Tuple[Unit, Dict[str, Any]]], host: Host) -> None:
    for verb, wanted in (("enable", True), ("disable", False)):
        names = [
            item.unit
            for item, state in states
            if item.enabled is wanted and state["enabled"] != ("yes" if wanted else "no")
        ]
        if names:
            with MANAGER:
                host.run(["systemctl", verb, "--", *names])


def _start(states: Sequence[Tuple[Unit, Dict[str, Any]]], shown: Mapping[str, Shown], host: Host) -> None:
    verbs: Dict[str, List[Unit]] = {"stop": [], "reload": [], "restart": [], "start": []}
    for item, state in states:
        verb = verb_for(item, state)
        if verb:
            verbs[verb].append(item)
    failed = [item.unit for item, _ in states if shown[item.unit]["ActiveState"] == "failed"]
    if failed:
        host.run(["systemctl", "reset-failed", "--", *failed], expect=None)
    for item in verbs["reload"] + verbs["restart"] + verbs["start"]:
        _bring_back_from_the_future(item.reads)
    for verb, items in verbs.items():
        if items:
            _systemctl(verb, items, host)
    begun = verbs["reload"] + verbs["restart"] + verbs["start"]
    if begun:
        _settle(begun, host)


def verb_for(item: Unit, state: Mapping[str, Any]) -> Optional[str]:
    """Return what systemctl must do so that a unit is as active and as fresh as it must be; None for nothing."""
    if not item.active:
        return None if state["active"] == "no" else "stop"
    if state["active"] == "yes":
        if not state["stale"]:
            return None
        return "reload" if item.reload else "restart"
    return "start" if state["active"] == "no" else "restart"


def _systemctl(verb: str, items: Sequence[Unit], host: Host) -> None:
    names = [item.unit for item in items]
    host.progress(f"systemctl {verb} {', '.join(names)}")
    # When one fails the next query says which and why, so the exit code of all together is of no interest; but the
    # reason of a job that could not even be made is told nowhere else.
    ended = host.run(["systemctl", verb, "--", *names], timeout=max(item.limit for item in items), expect=(0, 1))
    if ended.code != 0 and verb == "reload":
        raise CommandFailed(ended, f"{', '.join(names)} could not be reloaded, and goes on with what it read before")
    if ended.code != 0 and not ended.err.startswith("Job for "):
        raise CommandFailed(ended)


def _settle(items: Sequence[Unit], host: Host) -> None:
    deadline = time.monotonic() + max(item.limit for item in items)
    begun = time.monotonic()
    while time.monotonic() < deadline:
        shown = show([item.unit for item in items], host)
        young = time.monotonic() - begun < GRACE
        if not any(_in_between(properties, young) for properties in shown.values()):
            return
        time.sleep(0.2)


def _in_between(shown: Shown, young: bool) -> bool:
    if shown["ActiveState"] in ("activating", "deactivating", "reloading"):
        return shown["SubState"] != "auto-restart"
    return young and shown.get("Type") in ("simple", "exec", "idle", "forking") and shown["ActiveState"] == "active"


def _bring_back_from_the_future(paths: Sequence[str]) -> None:
    """Give files that changed before the clock was set back a change time that a start can come after."""
    for path in paths:
        if changed_at(path) > time.time():
            for each in _with_entries(path):
                os.utime(each)
