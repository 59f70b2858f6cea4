"""The admin's files on the machine that runs pystack: keystonerc_admin, clouds.yaml and the CA certificate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from installer.cloud import Cloud
from installer.render import render
from installer.urls import identity_url

FILES = ("keystonerc_admin", "clouds.yaml")


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
    return {
        "auth_url": identity_url(answers),
        "username": answers["CONFIG_KEYSTONE_ADMIN_USERNAME"],
        "password": answers["CONFIG_KEYSTONE_ADMIN_PW"],
        "region": answers["CONFIG_KEYSTONE_REGION"],
        "authority": authority,
    }


def write(cloud: Cloud) -> Path:
    """Write the files (0600 in a folder 0700) where they differ, and return their folder."""
    target = folder(cloud)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = target / "ca.crt"
    _write(authority, cloud.certificates.ca_pem)
    for name in FILES:
        _write(target / name, render(f"admin/{name}.j2", **context(cloud, str(authority))).content)
    return target


def _write(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == content:
        return
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
    temporary.replace(path)
