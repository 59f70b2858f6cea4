"""A repository of packages that the host's distribution has and leaves off."""

from __future__ import annotations

import dataclasses
import fnmatch
import glob
import re
from typing import ClassVar, Dict, Iterable, List, Sequence, Tuple

from installer.agent.host import Completed, Host
from installer.resources import dnf, dnf_configuration, transaction
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.secret import Secret
from installer.resources.texts import ini_files, text_of

#: Where dnf 5 looks for what differs from what its repositories' files say.
OVERRIDES = ("/usr/share/dnf5/repos.override.d", "/etc/dnf/repos.override.d")
#: How dnf.conf(5) spells a boolean that is off.
_OFF = ("0", "false", "no", "off")
#: What dnf 4 and dnf 5 say where the plugin is missing that enables repositories.
_NO_COMMAND = re.compile(r"No such command: config-manager|Unknown argument \"config-manager\"")


@dataclasses.dataclass(frozen=True)
class Repository(Resource):
    """A repository that dnf takes packages from. It is enabled, never made.

    Args:
        repository: its id, such as ``crb``.
        subscription: its id on RHEL, where subscription-manager enables it and dnf must not (dnf-config-manager(8)).
        proxies: see ``installer.resources.package.Package``; for the plugin of dnf that enables repositories.
    """

    kind: ClassVar[str] = "repository"

    repository: str
    subscription: str = ""
    proxies: Tuple[Tuple[str, Secret], ...] = ()

    @property
    def name(self) -> str:
        return self.repository

    def expected(self) -> State:
        return {"enabled": "yes"}

    @classmethod
    def query(cls, resources: Sequence[Repository], host: Host) -> Dict[str, Actual]:
        known = on_this_host()
        return {resource.id: resource.state(known) for resource in resources}

    def state(self, known: Dict[str, bool]) -> Actual:
        """Return the actual state; None where there is no such repository.

        Args:
            known: whether it is enabled, by id.
        """
        found = [known[name] for name in (self.repository, self.subscription) if name in known]
        return {"enabled": "yes" if any(found) else "no"} if found else None

    def fix(self, actual: Actual, host: Host) -> None:
        known = on_this_host()
        if self.repository not in known:
            raise CannotFix(self._missing(known))
        is_5 = host.run(["dnf", "--version"]).out.startswith("dnf5")
        done = self._enable(is_5, host)
        if done.code != 0 and _NO_COMMAND.search(done.out + done.err):
            transaction.begin()
            proxies = {name: value.reveal() for name, value in self.proxies}
            dnf.change([f"{'dnf5' if is_5 else 'dnf'}-command(config-manager)"], [], host, proxies)
            done = self._enable(is_5, host)
        if done.code != 0:
            said = " ".join((done.err or done.out).split())
            raise CannotFix(
                f"dnf cannot enable the repository {self.repository}: {said or f'code {done.code}'}; "
                "put that right, or enable it by hand"
            )

    def _enable(self, is_5: bool, host: Host) -> Completed:
        # Each knows its own words only: dnf5-config-manager(8), dnf-config-manager(8).
        setopt = ["setopt", "--create-missing-dir", f"{self.repository}.enabled=1"]
        words = setopt if is_5 else ["--set-enabled", self.repository]
        return host.run(["dnf", "config-manager", *words], expect=None)

    def _missing(self, known: Dict[str, bool]) -> str:
        command = f"subscription-manager repos --enable {self.subscription}"
        if self.subscription in known:
            return f"the repository {self.subscription} is off, and RHEL's own tool must enable it: {command}"
        on_rhel = f"; on RHEL it is {self.subscription}: register the host, then {command}" if self.subscription else ""
        return (
            f"no repository of this host is called {self.repository}: bring back the distribution's own files in "
            f"/etc/yum.repos.d{on_rhel}"
        )


def on_this_host() -> Dict[str, bool]:
    """Return the repositories of this host: whether each is enabled, by id."""
    return enabled(*files_on_this_host())


def files_on_this_host() -> Tuple[List[str], List[str]]:
    """Return the texts of this host's .repo files, and of those that dnf 5 reads afterwards."""
    return _texts(dnf_configuration.repository_folders()), _texts(OVERRIDES)


def files_below(root: str) -> List[str]:
    """Return the texts of .repo files in a folder that takes the place of /."""
    return _texts([f"{root}{folder}" for folder in dnf_configuration.REPOSITORIES])


def enabled(files: Iterable[str], overrides: Iterable[str]) -> Dict[str, bool]:
    """Return whether repositories are enabled, by id.

    Args:
        files: texts of .repo files.
        overrides: texts of those that dnf 5 reads afterwards; their sections may be patterns (dnf5-repo-overrides).
    """
    found: Dict[str, bool] = {}
    for parser in ini_files(files):
        for section in parser.sections():
            found[section] = _is_on(parser.get(section, "enabled", fallback="1"))
    for parser in ini_files(overrides):
        for section in parser.sections():
            if parser.has_option(section, "enabled"):
                for name in fnmatch.filter(found, section):
                    found[name] = _is_on(parser.get(section, "enabled"))
    found.pop("main", None)
    return found


def _is_on(word: str) -> bool:
    return word.strip().lower() not in _OFF


def _texts(folders: Sequence[str]) -> List[str]:
    return [text_of(path) for folder in folders for path in sorted(glob.glob(f"{folder}/*.repo"))]
