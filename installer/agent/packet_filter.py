"""What this host's own packet filter does with packets that come in, as plain data. Changes nothing.

A filter is a chain of the hook ``input`` with all chains that it may lead to. A rule has conditions, each ``[key,
negated, values]``, and a verdict. Keys are family, protocol, port (``[first, last]``), source, destination, interface
and state; ``?`` is a condition that nobody here understands. Verdicts are accept, drop, return, ``jump NAME``, ``goto
NAME``, and nothing for a rule that only counts or logs.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from installer.agent.host import Host

Condition = List[Any]
Rule = Dict[str, Any]
Filter = Dict[str, Any]

_HEADERS = ("ip", "ip6")
_STATEMENTS = {"accept": "accept", "drop": "drop", "reject": "drop", "return": "return", "queue": "accept"}
#: Statements that change nothing about where a packet goes.
_NEUTRAL = ("counter", "log", "comment", "set", "mangle", "notrack", "meter", "map", "last")
_IPTABLES = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return", "QUEUE": "accept", "LOG": ""}


def filters(host: Host, leave_out: str) -> List[Filter]:
    """Return the filters of nftables and iptables.

    Args:
        host: the host.
        leave_out: ``firewalld`` or ``ufw``: those that this one made are not told.
    """
    found: List[Filter] = []
    for family, program in (("ip", "iptables-save"), ("ip6", "ip6tables-save")):
        text = "" if leave_out == "ufw" else host.run([program], expect=None).out
        found += parse_iptables(text, family)
    known = {entry["family"] for entry in found} if leave_out != "ufw" else set(_HEADERS)
    listed = host.run(["nft", "--json", "list", "ruleset"], expect=None)
    if listed.code == 0:
        found += [
            entry
            for entry in parse_nft(listed.out)
            if not (entry["table"] == "filter" and entry["family"] in known) and entry["table"] != leave_out
        ]
    return found


def parse_nft(text: str) -> List[Filter]:
    """Return the filters of ``nft --json list ruleset`` (libnftables-json(5))."""
    chains: Dict[Tuple[str, str], Dict[str, List[Rule]]] = {}
    sets: Dict[Tuple[str, str, str], List[Any]] = {}
    bases: List[Filter] = []
    try:
        entries = json.loads(text)["nftables"]
    except (ValueError, KeyError):
        return []
    for entry in entries:
        if "chain" in entry:
            chain = entry["chain"]
            chains.setdefault((chain["family"], chain["table"]), {})[chain["name"]] = []
            if chain.get("hook") == "input" and chain.get("type") == "filter":
                bases.append({key: chain[key] for key in ("family", "table")})
                bases[-1].update(chain=chain["name"], policy=chain.get("policy", "accept"), by="nftables")
        elif "set" in entry:
            named = entry["set"]
            sets[(named["family"], named["table"], named["name"])] = named.get("elem", [])
    for rule in (entry["rule"] for entry in entries if "rule" in entry):
        place = (rule["family"], rule["table"])
        own = {name: elements for (family, table, name), elements in sets.items() if (family, table) == place}
        chains.setdefault(place, {}).setdefault(rule["chain"], []).extend(nft_rules(rule["expr"], own))
    return [{**base, "chains": _reached(chains[(base["family"], base["table"])], base["chain"])} for base in bases]


def nft_rules(statements: List[Dict[str, Any]], sets: Mapping[str, List[Any]]) -> Iterator[Rule]:
    """Yield the rules that a rule of nftables is: several where a map holds its verdicts.

    Args:
        statements: what libnftables-json(5) calls ``expr``.
        sets: elements of the table's named sets.
    """
    conditions: List[Condition] = []
    for statement in statements:
        kind = next(iter(statement), "?")
        body: Any = statement.get(kind)
        if kind == "match":
            negated = body["op"] == "!="
            known = body["op"] in ("==", "!=", "in")
            conditions += (
                _conditions(body["left"], negated, _values(body["right"], sets)) if known else [["?", False, []]]
            )
        elif kind == "vmap":
            for key, verdict in _pairs(body["data"], sets):
                yield {"if": [*conditions, *_conditions(body["key"], False, [key])], "then": _verdict(verdict)}
        elif kind == "xt" and (body or {}).get("type") == "target":
            yield {"if": conditions, "then": _IPTABLES.get(body.get("name", ""), "")}
            return
        elif _verdict(statement):
            yield {"if": conditions, "then": _verdict(statement)}
            return
        elif kind not in _NEUTRAL:
            conditions = [*conditions, ["?", False, []]]


def parse_iptables(text: str, family: str) -> List[Filter]:
    """Return the filter in the output of ``iptables-save``, where it has one.

    Args:
        text: the output.
        family: ip or ip6.
    """
    text = text.partition("*filter\n")[2].partition("\nCOMMIT")[0]
    policy = re.search(r"^:INPUT (\w+)", text, re.MULTILINE)
    if not policy:
        return []
    chains: Dict[str, List[Rule]] = {name: [] for name in re.findall(r"^:(\S+)", text, re.MULTILINE)}
    for chain, words in re.findall(r"^-A (\S+) ?(.*)$", text, re.MULTILINE):
        chains.setdefault(chain, []).append(_iptables_rule(shlex.split(words), chains))
    base = {"family": family, "table": "filter", "chain": "INPUT", "by": "iptables"}
    return [{**base, "policy": policy.group(1).lower(), "chains": _reached(chains, "INPUT")}]


def _iptables_rule(words: List[str], chains: Mapping[str, Any]) -> Rule:
    keys = {"-p": "protocol", "-s": "source", "-d": "destination", "-i": "interface", "--ctstate": "state"}
    keys.update({"--state": "state", "--dport": "port", "--dports": "port"})
    conditions: List[Condition] = []
    verdict, negated = "", False
    rest = iter(words)
    for word in rest:
        if word == "!":
            negated = True
            continue
        if word in ("-j", "-g"):
            target = next(rest, "")
            leads = f"{'jump' if word == '-j' else 'goto'} {target}"
            return {"if": conditions, "then": leads if target in chains else _IPTABLES.get(target, "")}
        value = next(rest, "") if word.startswith("-") else ""
        if word in keys:
            conditions.append([keys[word], negated, _iptables_values(keys[word], value)])
        elif word not in ("-m", "--comment") or value not in (
            "tcp",
            "udp",
            "conntrack",
            "state",
            "multiport",
            "comment",
        ):
            conditions += [] if word == "--comment" else [["?", False, []]]
        negated = False
    return {"if": conditions, "then": verdict}


def _iptables_values(key: str, value: str) -> List[Any]:
    parts = value.split(",")
    if key == "port":
        return [_range(part.split(":")) for part in parts]
    return [part.lower() for part in parts] if key in ("state", "protocol") else parts


def _reached(chains: Mapping[str, List[Rule]], first: str) -> Dict[str, List[Rule]]:
    found: Dict[str, List[Rule]] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = chains.get(name, [])
            waiting += [rule["then"].split()[1] for rule in found[name] if rule["then"][:5] in ("jump ", "goto ")]
    return found


def _conditions(left: Any, negated: bool, values: List[Any]) -> List[Condition]:
    """Return the conditions that a match of nftables is; for a field of a protocol the protocol is one of them."""
    if not isinstance(left, dict):
        return [["?", False, []]]
    if "ct" in left and left["ct"].get("key") == "state":
        return [["state", negated, list(map(str, values))]]
    if "meta" in left:
        keys = {"iif": "interface", "iifname": "interface", "l4proto": "protocol", "nfproto": "family"}
        return [[keys.get(left["meta"].get("key"), "?"), negated, list(map(str, values))]]
    header = left.get("payload") or {}
    protocol, field = header.get("protocol", ""), header.get("field", "")
    if protocol in _HEADERS:
        keys = {"saddr": "source", "daddr": "destination", "protocol": "protocol", "nexthdr": "protocol"}
        return [["family", False, [protocol]], [keys.get(field, "?"), negated, list(map(str, values))]]
    own = [["protocol", False, [protocol]]] if protocol and protocol != "th" else []
    if field == "dport":
        return [*own, ["port", negated, [_range(str(value).split("-")) for value in values]]]
    return [*own, ["?", False, []]]


def _values(right: Any, sets: Mapping[str, List[Any]]) -> List[Any]:
    if isinstance(right, str) and right.startswith("@"):
        return [value for item in sets.get(right[1:], []) for value in _values(item, sets)]
    if isinstance(right, dict):
        if "set" in right:
            return [value for item in right["set"] for value in _values(item, sets)]
        if "range" in right:
            return ["-".join(map(str, right["range"]))]
        if "prefix" in right:
            return [f"{right['prefix']['addr']}/{right['prefix']['len']}"]
        if "elem" in right:
            return _values(right["elem"].get("val"), sets)
        return []
    return [value for item in right for value in _values(item, sets)] if isinstance(right, list) else [right]


def _pairs(data: Any, sets: Mapping[str, List[Any]]) -> Iterator[Tuple[Any, Any]]:
    for pair in data.get("set", []) if isinstance(data, dict) else []:
        for key in _values(pair[0], sets):
            yield key, pair[1]


def _verdict(statement: Any) -> str:
    for kind, body in (statement or {}).items() if isinstance(statement, dict) else ():
        if kind in _STATEMENTS:
            return _STATEMENTS[kind]
        if kind in ("jump", "goto"):
            return f"{kind} {body['target']}"
    return ""


def _range(ends: List[str]) -> List[int]:
    numbers = [int(end) for end in ends if end.isdigit()]
    return [min(numbers), max(numbers)] if numbers else [-1, -1]
