"""The catalogue in words: docs/answer-file.md, and the help text of one parameter.

Run ``python -m installer.answers.reference`` to write docs/answer-file.md anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from installer.answers.catalogue import Catalogue, Parameter, Status, catalogue
from installer.paths import ROOT

DOCUMENT = ROOT / "docs" / "answer-file.md"

INTRODUCTION = """\
# The answer file

One file says what the cloud is to be. `pystack generate` makes one, `pystack validate` reads one and names every
problem in it, `pystack install` makes it true. pystack never changes it.

(This page is made from the catalogue in `answers/`: `python -m installer.answers.reference` writes it anew.)

## How it is written

The language and the names are Packstack's:

```
[general]
# a comment has a line of its own
CONFIG_CONTROLLER_HOST=192.0.2.10
CONFIG_COMPUTE_HOSTS=192.0.2.11,192.0.2.12
```

- `KEY=value` or `KEY: value`; the key in capitals or not. Blanks around key and value do not count.
- A line that begins with `#` or `;` is a comment. Behind a value there are no comments: `#` is part of the value.
- A value is taken as it stands: quotation marks, `%`, `$` and `\\` are part of it.
- A line that is indented deeper than its key continues the value. A secret may so have several lines; in a list, a new
  line is as good as a comma.
- The file is UTF-8, with or without a byte order mark, with the line ends of any system.
- A parameter that is absent or empty has its default. A few can be empty on purpose; they say so.
- The same parameter twice, an unknown parameter, and a value that is none are errors. All are named at once, with their
  lines, and the known names nearest to an unknown one.
- `--set KEY=VALUE` on the command line wins over the file.

## What values may be

| type | values |
|---|---|
| y or n | `y`, `yes`, `true`, `n`, `no`, `false`, in capitals or not |
| host | a name such as `node1.example.org`, an IPv4 or an IPv6 address |
| network | `192.0.2.0/24`, `2001:db8::/64`; what is set below the prefix length is cut off |
| port | 1 to 65535 |
| size | a number with `K`, `M`, `G` or `T`, powers of 1024: `20G`, `500M`; `20GB` and `20GiB` are the same |
| path | begins with `/` or `~` |
| list | values with commas between; a comma at the end is no further value |
| secret | any text without control characters; shown nowhere. 32 random letters and digits when pystack makes it up |

## What becomes of Packstack's parameters

Every parameter of Packstack 26 is known. Those that are **supported** do what is said here. Those that come **later**
are accepted: a value that asks for something is answered with a warning that says what is not done yet. Those that are
**refused** are an error when they ask for something; `n`, an empty value and the default pass. A value whose condition
("only with") does not hold is not used, and so is never an error.

`pystack generate --from OLD` carries a file of any release of Packstack's over: old names, secrets, hosts. It lists
what it could not carry, with the reason. Where a secret is `PW_PLACEHOLDER`, masked or absent, the new file has a new
one. A parameter that is given by today's name and by an old one has the value of today's name, here as everywhere;
where that cannot be read, the new file has neither.

`pystack generate` without hosts writes `localhost`: the cloud is on this machine, reached without SSH, and by nobody
else. Give `--hosts` with this machine's name or address when others are to use it.

The new file has the supported parameters only, and others that were carried over.
"""


def reference() -> str:
    """Return docs/answer-file.md."""
    known = catalogue()
    parts = [INTRODUCTION, "## Parameters\n"]
    for status, title in (
        (Status.SUPPORTED, "Supported"),
        (Status.LATER, "Later"),
        (Status.REFUSED, "Refused"),
    ):
        parts.append(f"### {title}\n")
        for section, parameters in known.sections().items():
            chosen = [parameter for parameter in parameters if parameter.status is status]
            if chosen:
                parts += [f"#### {section}\n", *_table(chosen)]
    parts += ["## Old names\n", *_old_names(known)]
    return "\n".join(parts)


def describe(name: str) -> str:
    """Return what there is to know about a parameter, in plain lines; raises KeyError for an unknown name."""
    known = catalogue()
    parameter = known[known.resolve(name)]
    facts = [f"{parameter.name}: {parameter.doc}", f"  value: {parameter.type.describe()}"]
    facts += [f"  {fact}" for fact in _facts(parameter)]
    if parameter.aliases:
        facts.append(f"  old names: {', '.join(parameter.aliases)}")
    return "\n".join(facts)


def _facts(parameter: Parameter) -> list[str]:
    facts = []
    if parameter.random:
        facts.append("default: made up by generate")
    elif parameter.default_from:
        facts.append(f"default: that of {parameter.default_from}")
    elif parameter.default:
        facts.append(f"default: {parameter.default}")
    if parameter.keeps_empty:
        facts.append("can be empty")
    facts += [f"only with {condition}" for condition in parameter.conditions()]
    facts += [f"not {text}: {reason}" for text, reason in parameter.refuses.items()]
    facts += [f"{text}: {remark}" for text, remark in parameter.remarks.items()]
    if parameter.status is Status.LATER:
        facts.append(f"not done yet: {parameter.note}")
    elif parameter.status is Status.REFUSED:
        facts.append(f"refused: {parameter.note}")
    return facts


def _table(parameters: Iterable[Parameter]) -> Iterable[str]:
    yield "| parameter | value | what it does |\n|---|---|---|"
    for parameter in parameters:
        facts = "".join(f"<br>{_cell(fact)}" for fact in _facts(parameter))
        yield f"| `{parameter.name}` | {_cell(parameter.type.describe())} | {_cell(parameter.doc)}{facts} |"
    yield ""


def _old_names(known: Catalogue) -> Iterable[str]:
    yield "| old name | today |\n|---|---|"
    rows = {alias: f"still read as `{name}`" for alias, name in known.aliases.items()}
    rows.update({name: _cell(retired.sentence) for name, retired in known.retired.items()})
    for name, today in sorted(rows.items()):
        yield f"| `{name}` | {today} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("*", r"\*")


def main() -> None:
    """Write docs/answer-file.md."""
    DOCUMENT.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
