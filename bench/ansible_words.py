"""What several of Ansible's tasks are made of: commands, statements of SQL, requests with the administrator's token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Task = dict[str, Any]


def asks(argv: Sequence[str], expected: str = "") -> Task:
    """Return a task that fails unless a command ends well and says something."""
    failed = f"asked.rc != 0 or {json.dumps(expected)} not in asked.stdout" if expected else "asked.rc != 0"
    return {"command": {"argv": list(argv)}, "register": "asked", "changed_when": False, "failed_when": failed}


def sql(statement: str, expected: str, *options: str) -> Task:
    """Return a task that fails unless MariaDB answers a statement with something."""
    return asks(["mariadb", *options, "--batch", "--skip-column-names", "--execute", statement], expected)


def login(url: str, name: str, password: str, scoped: bool = True) -> Task:
    """Return the arguments of the module uri that log in to Keystone; to the project admin where it is scoped."""
    domain = {"domain": {"id": "default"}}
    user = {"name": name, "password": verbatim(password), **domain}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
    if scoped:
        auth["scope"] = {"project": {"name": "admin", **domain}}
    return {
        "url": f"{url}/auth/tokens",
        "method": "POST",
        "body_format": "json",
        "body": {"auth": auth},
        "status_code": 201,
    }


def ask_api(url: str) -> Task:
    """Return a task that asks an API with the token that was registered as ``admin``."""
    asked = {"url": url, "return_content": True, "headers": {"X-Auth-Token": "{{ admin.x_subject_token }}"}}
    return {"uri": asked, "register": "asked"}


def verbatim(text: str) -> str:
    """Return text in which nothing is Ansible's to fill in."""
    return "{% raw %}" + text + "{% endraw %}" if "{{" in text or "{%" in text or "{#" in text else text
