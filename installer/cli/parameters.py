"""Packstack's options that each set one parameter, and how pystack is told the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Sequence

from installer.answers import Catalogue, catalogue
from installer.answers.problem import mask_userinfo

#: Where Packstack's options are spelled otherwise than its parameters.
_SPELLINGS = (
    (r"_PASSW(OR)?D$", "_PW"),
    (r"_ALLOCATION_RATIO$", "_ALLOC_RATIO"),
    (r"_BRIDGE_INTERFACES$", "_BRIDGE_IFACES"),
    (r"^CONFIG_NOVA(SCHED|COMPUTE)_", r"CONFIG_NOVA_\1_"),
)


def remedy_for(option: str, words: Sequence[str], flags: Collection[str], verb: str) -> str:
    """Return what to write in place of Packstack's options, or nothing if the option is none of them.

    Args:
        option: the one that is not known, with its dashes.
        words: the command line.
        flags: the options that there are, with their dashes.
        verb: the command; empty for none.
    """
    known = catalogue()
    if not _parameter(option, known) or (verb and "--set" not in flags):
        return ""
    found = [item for item in _options(words, known) if item[0] not in flags]
    settings = " ".join(_setting(name, value, known) for _, name, value in found if name in known)
    advice = [f"write {settings}" if verb else f"write it behind a command: pystack install {settings}"]
    gone = [f"leave out {given}: {known.retired[name].sentence}" for given, name, _ in found if name not in known]
    return "\n".join([*(advice if settings else ()), *gone])


def _options(words: Sequence[str], known: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Yield the options of Packstack's that set parameters: as given, the parameter, and the value."""
    for word, following in zip(words, [*words[1:], "-"], strict=True):
        option, equals, value = word.partition("=")
        name = _parameter(option, known)
        if name:
            yield option, name, value if equals or following.startswith("-") else following


def _setting(name: str, value: str, known: Catalogue) -> str:
    # A secret is not shown again.
    if not value or known.hides(name) or mask_userinfo(value) != value:
        value = "VALUE"
    return f"--set {shlex.quote(f'{name}={value}')}"


def _parameter(option: str, known: Catalogue) -> str:
    """Return today's name of the parameter that an option of Packstack's sets, or a retired name, or nothing."""
    if not option.startswith("--"):
        return ""
    words = option.removeprefix("--").upper().replace("-", "_")
    for name in (f"CONFIG_{words}", f"CONFIG_{words.removeprefix('OS_')}"):
        for spelled in (name, _respelled(name)):
            retired = known.retired.get(spelled)
            if known.knows(spelled) or retired:
                return retired.now or spelled if retired else known.resolve(spelled)
    return ""


def _respelled(name: str) -> str:
    for pattern, spelling in _SPELLINGS:
        name = re.sub(pattern, spelling, name)
    return name
