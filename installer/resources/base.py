"""What every resource is: two dicts, expected and actual, and a way to make them equal.

Diff, plan, dry run, verification and drift audit all follow from the two dicts. These modules run on both sides:
the controller declares resources, the agent on the host queries, decides and fixes.
"""

from __future__ import annotations

import dataclasses
from typing import (
    Any,
    ClassVar,
    Collection,
    Dict,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
)

from installer.agent.host import Host
from installer.resources.secret import MASK, Secret


class Unknown:
    """An actual state that cannot be known yet, such as an account in a database that does not run.

    Args:
        reason: one line for the plan, such as "mariadb does not run yet".
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"


State = Optional[Dict[str, Any]]
Actual = Union[Dict[str, Any], None, Unknown]
R = TypeVar("R", bound="Resource")

KINDS: Dict[str, Type["Resource"]] = {}


@dataclasses.dataclass(frozen=True)
class Resource:
    """A thing that must be true on a host. A subclass is a frozen dataclass whose fields are its declaration.

    Subclasses MUST set ``kind`` and override ``name``, ``expected``, ``query`` and ``fix``.
    They MAY override ``fix_all`` (one transaction for many), ``explain`` and ``diagnose``.
    """

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.kind or cls.kind in KINDS:
            raise TypeError(f"{cls.__name__}: kind {cls.kind!r} is empty or taken")
        KINDS[cls.kind] = cls

    @property
    def name(self) -> str:
        """What identifies this resource among its kind on one host: a path, a unit, an account."""
        raise NotImplementedError

    @property
    def id(self) -> str:
        """The name that plans, events and journals use: ``kind:name``."""
        return f"{self.kind}:{self.name}"

    def expected(self) -> State:
        """Return the state that must be true; None means absent. Compared with ``==`` to the actual state."""
        raise NotImplementedError

    @classmethod
    def query(cls: Type[R], resources: Sequence[R], host: Host) -> Dict[str, Actual]:
        """Return the actual state of each resource by id, in as few commands as the type allows. Changes nothing."""
        raise NotImplementedError

    def fix(self, actual: Actual, host: Host) -> None:
        """Make the actual state equal to the expected one.

        Raises:
            CommandFailed: a command did not end as expected.
            CannotFix: the state must not or cannot be changed, with the reason.
        """
        raise NotImplementedError

    @classmethod
    def fix_all(cls: Type[R], differing: Sequence[Tuple[R, Actual]], host: Host) -> None:
        """Fix several resources of this type, one after another unless the type can do better."""
        for resource, actual in differing:
            try:
                resource.fix(actual, host)
            except Exception as problem:
                raise FixFailed(resource) from problem

    def explain(self, actual: Actual, host: Host) -> List[str]:
        """Return the lines that tell an operator what would change, with secrets masked."""
        expected = self.expected()
        if isinstance(actual, Unknown):
            return [f"  not known yet: {actual.reason}", *describe_new(expected)]
        if actual is None:
            return describe_new(expected)
        if expected is None:
            return ["- present"]
        return [
            f"  {key}: {show(actual.get(key))} -> {show(expected.get(key))}"
            for key in sorted(set(actual) | set(expected))
            if actual.get(key) != expected.get(key)
        ]

    def affected_by(self, differing: Collection[str]) -> List[str]:
        """Return why a resource in its expected state would change all the same, once others (ids) are fixed."""
        return []

    def diagnose(self, host: Host) -> List[str]:
        """Return what helps after a failure, such as the end of a unit's journal."""
        return []

    def reads_secrets(self) -> List[Secret]:
        """Return every secret held by this resource, so that output can be masked."""
        return [value for value in _leaves(_plain_fields(self)) if isinstance(value, Secret)]


class CannotFix(Exception):
    """A state that this resource must not or cannot change, with the reason and what to do."""


class FixFailed(Exception):
    """A fix among several that did not succeed; its cause says why.

    Args:
        resource: whose fix it was.
    """

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.id)
        self.resource = resource


def differs(resource: Resource, actual: Actual) -> bool:
    """Tell whether a resource is not in its expected state."""
    return isinstance(actual, Unknown) or resource.expected() != actual


def describe_new(expected: State) -> List[str]:
    """Return one ``+ key: value`` line per expected property, secrets masked."""
    return [f"+ {key}: {show(value)}" for key, value in (expected or {}).items()]


def show(value: Any) -> str:
    """Return a value as an operator reads it in a diff; a secret shows only its mask."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[" + ", ".join(show(item) for item in value) + "]"
    if value is None:
        return "absent"
    return str(value)


def to_wire(resource: Resource) -> Dict[str, Any]:
    """Return a resource as JSON-able data with secrets left as ``Secret`` (the wire encodes them)."""
    return {"kind": resource.kind, **_plain_fields(resource)}


def from_wire(data: Mapping[str, Any]) -> Resource:
    """Rebuild a resource from ``to_wire`` data; lists become tuples where the declaration says so.

    Raises:
        KeyError: the kind is not known to this agent.
    """
    fields = dict(data)
    kind = KINDS[fields.pop("kind")]
    declared = {field.name for field in dataclasses.fields(kind)}
    return kind(**{key: _tupled(value) for key, value in fields.items() if key in declared})


def _plain_fields(resource: Resource) -> Dict[str, Any]:
    return {field.name: getattr(resource, field.name) for field in dataclasses.fields(resource)}


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value


def _leaves(value: Any) -> List[Any]:
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]
