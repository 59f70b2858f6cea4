"""Command lines as people write them: Packstack's spellings, bare words, and names that are nearly right. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from installer.errors import UsageError
from installer.resources.secret import MASK

#: Packstack's option to pystack's verb, and the option that takes its value; "" for none.
PACKSTACK = {
    "--gen-answer-file": ("generate", "--output"),
    "--validate-answer-file": ("validate", "--answer-file"),
    "--install-hosts": ("install", "--hosts"),
    "--allinone": ("install", "--allinone"),
    "--answer-file": ("install", "--answer-file"),
    "--dry-run": ("plan", ""),
    "-y": ("plan", ""),
}
_SECRET_NAME = re.compile(r"^(?!--).*(PW|PASS|SECRET|TOKEN|HASH|KEY|CERT)", re.IGNORECASE)
#: When several are given, the first of these decides.
_PRECEDENCE = ("generate", "validate", "plan", "install")
_SWITCHES = ("--allinone", "--dry-run", "-y")
#: Options of Packstack that change nothing here; true: a value follows.
_WITHOUT_EFFECT = {"--timeout": True, "-t": True, "--debug": False, "-d": False}


def translate(
    argv: Sequence[str],
    bare_words: Mapping[str, str],
    takes_value: Mapping[str, Collection[str]],
    repeatable: Collection[str] = (),
) -> list[str]:
    """Return the command line in pystack's own spelling.

    Args:
        argv: what follows the program's name.
        bare_words: by verb, the option (with dashes) that a word without one is the value of.
        takes_value: by verb, its options (with dashes) that a value follows.
        repeatable: options (with dashes) that may be given several times.

    Raises:
        UsageError: Packstack's options cannot be put together, or there is a word too many.
    """
    words = list(argv)
    if not words or words[0] == "--complete":
        return words
    if words[0] == "help":
        return ["--help", *words[1:]]
    if words[0].startswith("-"):
        return _from_packstack(words) if any(_name(word) in PACKSTACK for word in words) else words
    option = bare_words.get(words[0])
    if not option:
        return words
    told, bare = _with_options(words[1:], option, takes_value.get(words[0], ()))
    if len(bare) > 1 and option not in repeatable:
        raise UsageError(f"{words[0]} takes {bare[0]!r} or {bare[1]!r}, not both", help_of(words[0]))
    return [words[0], *told]


def help_of(verb: str) -> str:
    """Return a remedy that leads to the help of a verb."""
    return f"pystack {verb} --help tells more"


def nearest(word: str, known: Collection[str]) -> str:
    """Return a remedy that names what may have been meant."""
    begun = sorted(name for name in known if len(word) > 2 and name.startswith(word))
    near = begun or difflib.get_close_matches(word, sorted(known), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _name(word: str) -> str:
    return word.partition("=")[0]


def _from_packstack(words: Sequence[str]) -> list[str]:
    verbs: set[str] = set()
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in _WITHOUT_EFFECT:
            if _WITHOUT_EFFECT[name] and not equals and rest:
                rest.pop(0)
        elif name in PACKSTACK:
            verb, option = PACKSTACK[name]
            verbs.add(verb)
            if name in _SWITCHES:
                options += [option] if option else []
            elif not equals and not rest:
                raise UsageError(f"{name} needs a value", f"write {name}={'FILE' if 'file' in name else 'A,B'}")
            else:
                options += [option, value if equals else rest.pop(0)]
        elif name == "--default-password":
            options += ["--set", f"CONFIG_DEFAULT_PASSWORD={value if equals or not rest else rest.pop(0)}"]
        else:
            options.append(word)
    chosen = next(verb for verb in _PRECEDENCE if verb in verbs)
    # A generated file is for this machine unless it is told otherwise.
    return [chosen, *(option for option in options if option != "--allinone" or chosen == "install")]


def _with_options(words: Sequence[str], option: str, takes_value: Collection[str]) -> tuple[list[str], list[str]]:
    told: list[str] = []
    bare: list[str] = []
    is_value = False
    for word in words:
        if is_value or word.startswith("-"):
            told.append(word)
            is_value = not is_value and word in takes_value
        else:
            told += [option, word]
            bare.append(word)
    return told, bare


def without_secrets(words: Sequence[str]) -> list[str]:
    """Return a command line with the value of every secret parameter masked, for the journal."""
    told: list[str] = []
    masks_next = False
    for word in words:
        name, equals, value = word.removeprefix("--set=").partition("=")
        if masks_next:
            told.append(MASK)
        elif equals and value and (_SECRET_NAME.search(name) or name == "--default-password"):
            told.append(f"{word[: len(word) - len(value)]}{MASK}")
        else:
            told.append(word)
        masks_next = word == "--default-password"
    return told
