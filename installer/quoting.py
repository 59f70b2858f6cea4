"""How each kind of configuration file writes a value so that its own parser reads that value back, or a refusal."""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import pathlib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from installer.resources.secret import Secret

PLAIN = re.compile(r"[A-Za-z0-9_./:@+=,~\[\]-]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Unwritable(ValueError):
    """A value that a kind of file has no way to write; the message says what about it, never the value."""


@dataclass(frozen=True)
class Format:
    """A kind of configuration file.

    Args:
        title: what an operator calls it.
        text: returns a text as the file writes it; raises Unwritable.
        yes, no: how it writes a boolean.
        several: returns a list as the file writes it; None for a kind of file without lists.
    """

    title: str
    text: Callable[[str], str]
    yes: str = "true"
    no: str = "false"
    several: Callable[[Sequence[str]], str] | None = None

    def write(self, value: Any) -> str:
        """Return a value as this kind of file writes it.

        Args:
            value: text, Secret, boolean, number, address, path, or a list of those.

        Raises:
            Unwritable: the file has no way to write it.
            TypeError: a value of another type, which is a fault of the role.
        """
        if isinstance(value, bool):
            return self.yes if value else self.no
        if isinstance(value, (int, float)):
            return str(value)
        if isinstance(value, (list, tuple)):
            if self.several is None:
                raise TypeError(f"{self.title} has no lists")
            return self.several([plain(item) for item in value])
        return self.text(plain(value))


def plain(value: Any) -> str:
    """Return the text of one value, revealing a secret; raises TypeError for a type that no file should hold."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (pathlib.PurePath, ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(value)
    if isinstance(value, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} was given to a template")


def refuse(pattern: str | re.Pattern[str], text: str, what: str) -> None:
    """Raise Unwritable when the pattern occurs in the text.

    Args:
        pattern: regular expression.
        text: the value.
        what: what it must not hold, in words.
    """
    if re.search(pattern, text):
        raise Unwritable(f"the value holds {what}")


def oslo(text: str) -> str:
    """Return a text for oslo.config.

    Its parser strips surrounding white space and one pair of quotes, then ``\\$`` becomes a dollar and ``$name`` the
    value of another option (oslo.config 10: iniparser.py, ``ConfigOpts._substitute``).
    """
    refuse(r"[\n\r\x00\ud800-\udfff]", text, "a line break or NUL")
    escaped = text.replace("$", "\\$")
    hidden = text != text.strip() or (text[:1] in ("'", '"') and text[0] == text[-1])
    return f'"{escaped}"' if hidden else escaped


def oslo_list(items: Sequence[str]) -> str:
    """Return a list for oslo.config, which splits at every comma and strips white space and one pair of quotes."""
    for item in items:
        refuse(r",|^\s|\s$|^$", item, "a comma, surrounding white space, or nothing, as an item of a list")
    return oslo(",".join(items))


def option_file(text: str) -> str:
    """Return a text for a MariaDB option file.

    Inside double quotes ``#`` is no comment and these escapes hold (MariaDB server: mysys/my_default.c).
    """
    refuse(r"[\x00\ud800-\udfff]", text, "NUL")
    if PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def uwsgi(text: str) -> str:
    """Return a text for a uwsgi ini file.

    ``%`` begins a magic variable anywhere, even before a line break; quotes mean nothing; white space is stripped;
    ``$(NAME)`` and ``@(file)`` are replaced with no way to write them otherwise (tried with uwsgi 2.0.30).
    """
    refuse(CONTROL, text, "a control character")
    refuse(r"^\s|\s$", text, "white space at an end")
    refuse(r"[$@]\(", text, "$( or @(")
    return text.replace("%", "%%")


def unit(text: str) -> str:
    """Return one word for a systemd unit: of a command, of Environment=, or the value of another setting.

    See systemd.unit(5) for ``%`` and systemd.syntax(7) for quoting. A dollar means a variable in commands only, and a
    template does not know which setting it fills, so it is refused.
    """
    refuse(CONTROL, text, "a control character")
    refuse(r"\$", text, "a dollar")
    refuse(r"^$", text, "nothing")
    doubled = text.replace("%", "%%")
    if PLAIN.fullmatch(text):
        return doubled
    return '"' + doubled.replace("\\", "\\\\").replace('"', '\\"') + '"'


def haproxy(text: str) -> str:
    """Return one word for haproxy, in strong quotes where it needs any (configuration manual, 2.2 quoting).

    ``%`` is refused: whether it begins a log-format variable depends on the keyword.
    """
    refuse(CONTROL, text, "a control character")
    refuse("%", text, "a per cent sign")
    return text if PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def shell(text: str) -> str:
    """Return one word for a POSIX shell and for the EnvironmentFile= of systemd, which reads the same quotes."""
    refuse(r"[\x00\ud800-\udfff]", text, "NUL")
    return shlex.quote(text)


def yaml(text: str) -> str:
    """Return a double-quoted YAML scalar; what YAML takes for a line break or refuses to read is escaped."""
    refuse(r"[\ud800-\udfff]", text, "half of a surrogate pair")
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", quoted)


def word(text: str) -> str:
    """Return a word for files that know no quoting at all, such as those of chrony and RabbitMQ."""
    if not PLAIN.fullmatch(text):
        raise Unwritable("the value holds more than letters, digits and . _ / : @ + = , ~ [ ] -")
    return text


def installer_word(text: str) -> str:
    """Return a word for the files that Anaconda and debian-installer read: as it is, or refused.

    In one line of theirs a value goes to a parser of its own, to one that splits lists, or to a shell, each with other
    quotes. So a value is what none of them reads a meaning into; one that began with a dash would be an option.
    """
    if not re.fullmatch(r"[A-Za-z0-9_./:@+=][A-Za-z0-9_./:@+=-]*", text):
        raise Unwritable("the value begins with a dash, is empty or has more than letters, digits and . _ / : @ + = -")
    return text


OSLO = Format("an oslo.config file", oslo, several=oslo_list)
OPTION_FILE = Format("a MariaDB option file", option_file, yes="ON", no="OFF")
UWSGI = Format("a uwsgi ini file", uwsgi)
UNIT = Format("a systemd unit", unit, yes="yes", no="no", several=lambda items: " ".join(map(unit, items)))
HAPROXY = Format("an haproxy configuration", haproxy, several=lambda items: " ".join(map(haproxy, items)))
SHELL = Format("a shell file", shell, several=lambda items: " ".join(map(shell, items)))
YAML = Format("a YAML file", yaml, several=lambda items: "[" + ", ".join(map(yaml, items)) + "]")
PYTHON = Format("a Python file", repr, yes="True", no="False", several=lambda items: repr(list(items)))
WORDS = Format("a configuration file without quoting", word, several=lambda items: " ".join(map(word, items)))
KICKSTART = Format("a kickstart file", installer_word, several=lambda items: ",".join(map(installer_word, items)))
PRESEED = Format("a preseed file", installer_word, several=lambda items: " ".join(map(installer_word, items)))

#: Template (folder and name without ``.j2``; shell patterns, the first that fits) to the kind of file it makes.
TABLE: tuple[tuple[str, Format], ...] = (
    ("*.service", UNIT),
    ("*.timer", UNIT),
    ("*.cnf", OPTION_FILE),
    ("*.uwsgi.ini", UWSGI),
    ("haproxy/*.cfg", HAPROXY),
    ("*.yaml", YAML),
    ("*.py", PYTHON),
    ("*.sh", SHELL),
    ("*.env", SHELL),
    ("*.ks", KICKSTART),
    ("*.preseed", PRESEED),
    ("common/sudoers", WORDS),
    ("common/rootwrap.conf", WORDS),
    *((f"{service}/*.conf", OSLO) for service in ("common", "keystone", "glance", "placement", "nova", "neutron")),
    *((f"{service}/*.conf", OSLO) for service in ("cinder", "heat", "tempest")),
    ("cinder/*_shares", WORDS),
    ("ceph/client.*", WORDS),
    ("openvswitch/*.nft", WORDS),
    ("time/*.conf", WORDS),
    ("memcached/*.conf", WORDS),
    ("rabbitmq/*.conf", WORDS),
)


def format_of(template: str) -> Format:
    """Return the kind of file that a template makes.

    Args:
        template: path below templates/, such as ``keystone/keystone.conf.j2``.

    Raises:
        LookupError: the table has no row for it.
    """
    name = template.removesuffix(".j2")
    for pattern, kind in TABLE:
        if fnmatch.fnmatchcase(name, pattern):
            return kind
    raise LookupError(f"installer.quoting.TABLE has no row for the template {template}")
