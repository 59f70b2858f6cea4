"""Remakes the locks beside it: `python roles/openstack/locks/remake.py [NAME ...]`, all without a name."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uv
import yaml

HERE = Path(__file__).resolve().parent
OLDEST_PYTHON = "3.11"
CORE = "core"
HEADER = "# Made by remake.py from inputs.yaml and constraints/: not to be edited.\n"


@dataclass(frozen=True)
class Inputs:
    """What inputs.yaml says.

    services: service to distribution. locks: lock to its services and what is beside them. apart: lock of a virtual
    environment without services to what it holds. build: what builds the distributions without a wheel. releases:
    release to versions, distributions without a wheel and upload times. modules: distribution to version, what builds
    it and upload time.
    """

    services: dict[str, str]
    locks: dict[str, dict[str, list[str]]]
    apart: dict[str, list[str]]
    build: list[str]
    releases: dict[str, dict[str, Any]]
    modules: dict[str, dict[str, Any]]

    @classmethod
    def load(cls) -> "Inputs":
        """Read inputs.yaml."""
        return cls(**yaml.safe_load((HERE / "inputs.yaml").read_text()))

    def requirements(self, release: str, lock: str) -> list[str]:
        """Requirement lines of one lock; KeyError for an unknown release or lock."""
        if lock in self.apart:
            return self.apart[lock]
        versions = self.releases[release]["versions"]
        lines = [f"{self.services[name]}=={versions[name]}" for name in self.locks[lock]["services"]]
        return lines + self.locks[lock]["beside"]

    def options(self, release: str) -> list[str]:
        """Options that hold uv to the constraints and hide from it what was uploaded later."""
        facts = self.releases[release]
        options = [f"--constraint={HERE / 'constraints' / release}.txt", f"--exclude-newer={facts['rest-until']}"]
        later = [*self.services.values(), *(name for names in self.apart.values() for name in names)]
        return options + [f"--exclude-newer-package={name}={facts['services-until']}" for name in later]

    def building(self, name: str) -> list[str]:
        """Lines at the top of a release's or module's lock that refuse to build anything but what has no wheel."""
        built = [name] if name in self.modules else self.releases[name]["built"]
        return ["--only-binary=:all:", *(f"--no-binary={each}" for each in built)]


def compiled(requirements: list[str], options: list[str]) -> str:
    """Text of the lock of some requirement lines.

    uv prints it rather than writing it, because it would keep to the versions of a file that is already there.
    The index is the one that this machine's uv is configured for, and is not written down.

    Raises CalledProcessError when the requirements contradict each other; uv has then said why.
    """
    command = [uv.find_uv_bin(), "pip", "compile", "-", "--quiet", "--universal", "--generate-hashes"]
    command += ["--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate", "--no-emit-index-url"]
    done = subprocess.run(
        [*command, *options], input="\n".join(requirements), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def remake(inputs: Inputs, release: str) -> Iterator[Path]:
    """Write the locks of one release and yield each as it is done: core, the other services', those apart, build."""
    options, building = inputs.options(release), inputs.building(release)
    core = HERE / f"{release}.txt"
    for lock in sorted(inputs.locks, key=lambda name: name != CORE):
        path = core if lock == CORE else HERE / f"{release}-{lock}.txt"
        # What both hold is the same file on the host: uv links it into each environment.
        on_core = [] if lock == CORE else [f"--constraint={core}"]
        text = compiled(inputs.requirements(release, lock), [*options, *building, *on_core])
        path.write_text(HEADER + "\n".join([*building, text]))
        yield path
    for lock in inputs.apart:
        path = HERE / f"{release}-{lock}.txt"
        text = compiled(inputs.requirements(release, lock), [*options, *building])
        path.write_text(HEADER + "\n".join([*building, text]))
        yield path
    path = HERE / f"{release}-build.txt"
    path.write_text(HEADER + compiled(inputs.build, options))
    yield path


def remake_module(inputs: Inputs, name: str) -> Iterator[Path]:
    """Write the two locks of a module and yield each as it is done: the module, what builds it."""
    facts, building = inputs.modules[name], inputs.building(name)
    options = [f"--exclude-newer={facts['until']}"]
    path = HERE / f"{name}.txt"
    path.write_text(HEADER + "\n".join([*building, compiled([f"{name}=={facts['version']}"], [*options, *building])]))
    yield path
    path = HERE / f"{name}-build.txt"
    path.write_text(HEADER + compiled(facts["build"], options))
    yield path


def main(arguments: list[str]) -> None:
    """Remake the locks of the releases and modules named in the arguments."""
    inputs = Inputs.load()
    known = [*inputs.releases, *inputs.modules]
    parser = argparse.ArgumentParser(description="Remake the locks of OpenStack releases and modules from inputs.yaml.")
    parser.add_argument("name", nargs="*", help=f"{', '.join(known)}; all when none is named")
    names = parser.parse_args(arguments).name or known
    for name in names:
        if name not in known:
            parser.error(f"{name} is not among the releases and modules of inputs.yaml: {', '.join(known)}")
    try:
        for name in names:
            for path in (remake_module if name in inputs.modules else remake)(inputs, name):
                print(path.name)
    except subprocess.CalledProcessError as error:
        parser.exit(error.returncode, f"No lock for {name}: uv says above what does not fit together.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
