"""The admin's files on the machine that runs pystack: keystonerc_admin, clouds.yaml and the CA certificate.

The demo user's, where the answer file asks for one, are beside them.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from installer import demo_key
from installer.cloud import Cloud
from installer.errors import PystackError
from installer.render import Rendered, render
from installer.urls import identity_url

#: The demo user, and the project of the same name.
DEMO = "demo"


def folder(cloud: Cloud) -> Path:
    """Return where the files of this cloud are kept: one folder per controller."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "pystack" / cloud.first("controller").address.replace(":", "_")


def context(cloud: Cloud, authority: str) -> dict[str, Any]:
    """Return what the templates of the admin's files need.

    Args:
        cloud: the cloud.
        authority: where the CA certificate is, on the machine on which the files are used.
    """
    answers = cloud.answers
    logins = {"admin": (answers["CONFIG_KEYSTONE_ADMIN_USERNAME"], answers["CONFIG_KEYSTONE_ADMIN_PW"])}
    if answers["CONFIG_PROVISION_DEMO"]:
        logins[DEMO] = (DEMO, answers["CONFIG_KEYSTONE_DEMO_PW"])
    return {
        "auth_url": identity_url(answers),
        "region": answers["CONFIG_KEYSTONE_REGION"],
        "authority": authority,
        "logins": [
            {
                "cloud": "pystack" if project == "admin" else f"pystack-{project}",
                "project": project,
                "user": user,
                "password": password,
            }
            for project, (user, password) in logins.items()
        ],
    }


def files(cloud: Cloud, authority: str) -> dict[str, Rendered]:
    """Return what each file holds, by its name; see ``context``."""
    told = context(cloud, authority)
    made = {"clouds.yaml": render("admin/clouds.yaml.j2", **told)}
    for login in told["logins"]:
        made[f"keystonerc_{login['project']}"] = render("admin/keystonerc.sh.j2", **told, login=login)
    return made


def with_demo_key(cloud: Cloud, write: bool) -> Cloud:
    """Return the cloud with the demo user's public key, where the answer file asks for that user.

    Args:
        cloud: the cloud.
        write: keep a key that had to be made.

    Raises:
        PystackError: the folder cannot be read or written.
    """
    if not cloud.answers["CONFIG_PROVISION_DEMO"]:
        return cloud
    try:
        return dataclasses.replace(cloud, demo_key=demo_key.prepare(folder(cloud), write))
    except OSError as problem:
        raise PystackError(
            f"the demo user's key: {problem.strerror}: {problem.filename}",
            f"make {folder(cloud)} a folder that you may read and write",
        ) from None


def write(cloud: Cloud) -> Path:
    """Write the files (0600 in a folder 0700) where they differ, and return their folder."""
    target = folder(cloud)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = target / "ca.crt"
    _write(authority, cloud.certificates.ca_pem)
    for name, made in files(cloud, str(authority)).items():
        _write(target / name, made.content)
    return target


def _write(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == content:
        return
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
    temporary.replace(path)
