"""pystack's plan as an Ansible playbook: one task of the fitting module per resource, with the same expectation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cloud_tasks
from ansible_words import Task, ask_api, asks, login, sql, verbatim

from installer.answers import Answers
from installer.plan import Step
from installer.resources.account import Group, User
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.command import STAMPS, Command
from installer.resources.database import Database, DatabaseAccount, DatabaseAdministrator
from installer.resources.database_schema import DatabaseSchema
from installer.resources.file import Directory, File, Symlink
from installer.resources.host_entry import HostEntry
from installer.resources.keystone import Endpoint, Project
from installer.resources.keystone_bootstrap import Bootstrap
from installer.resources.message_queue import QueueAccount
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.resources.virtual_environment import VirtualEnvironment
from installer.urls import identity_url


def tasks_of(steps: Sequence[Step]) -> list[Task]:
    """Return the tasks that assert what a plan says.

    Args:
        steps: the plan of one host.

    Raises:
        KeyError: a type of resource that has no task here yet.
    """
    resources = [resource for step in steps for resource in step.resources]
    return [{"name": resource.id, "no_log": True, **TASKS[type(resource)](resource)} for resource in resources]


def _group(one: Any) -> Task:
    return {"group": {"name": one.group, "system": one.system}}


def _user(one: Any) -> Task:
    return {"user": {"name": one.user, "group": one.group, "home": one.home, "shell": one.shell, "system": one.system}}


def _directory(one: Any) -> Task:
    return {"file": {"path": one.path, "state": "directory", **_owned(one)}}


def _file(one: Any) -> Task:
    if one.absent:
        return {"file": {"path": one.path, "state": "absent"}}
    # A template in the content is not Ansible's to fill in.
    return {"copy": {"dest": one.path, "content": verbatim(one.content), **_owned(one)}}


def _symlink(one: Any) -> Task:
    return {"file": {"path": one.path, "src": one.target, "state": "link"}}


def _host_entry(one: Any) -> Task:
    return {"lineinfile": {"path": "/etc/hosts", "line": f"{one.address} {' '.join(one.names)}"}}


def _package(one: Any) -> Task:
    return {"apt": {"name": one.package, "state": "absent" if one.absent else "present"}}


def _unit(one: Any) -> Task:
    if not one.active:
        # The module fails at a unit that is not there.
        return {**asks(["systemctl", "is-active", one.unit]), "failed_when": "asked.rc == 0"}
    return {"systemd_service": {"name": one.unit, "enabled": one.enabled, "state": "started"}}


def _command(one: Any) -> Task:
    if one.creates:
        return {"command": {"argv": list(one.argv), "creates": one.creates}}
    if one.stamp:
        return asks(["cat", f"{STAMPS}/{one.title}"], one.stamp)
    return asks(list(one.unless))


def _environment(one: Any) -> Task:
    ask = 'import json, sys; print(json.load(open(sys.argv[1]))["python"] == "%d.%d" % sys.version_info[:2])'
    return asks([f"{one.path}/bin/python", "-I", "-S", "-c", ask, f"{one.path}/pystack-stamp.json"], "True")


def _administrator(one: Any) -> Task:
    return sql(f"SELECT 1 FROM mysql.global_priv WHERE User = '{one.user}'", "1")


def _database(one: Any) -> Task:
    ask = "SELECT default_collation_name FROM information_schema.schemata WHERE schema_name"
    return sql(f"{ask} = '{one.database}'", one.collation)


def _database_account(one: Any) -> Task:
    task = sql("SHOW DATABASES", one.databases[0], "--user", one.user)
    return {**task, "environment": {"MYSQL_PWD": verbatim(one.password.reveal())}}


def _schema(one: Any) -> Task:
    return sql(f"SELECT count(*) > 0 FROM {one.database}.alembic_version", "1")


def _queue_account(one: Any) -> Task:
    if one.absent:
        return {**asks(["rabbitmqctl", "-q", "list_users"]), "failed_when": f"'{one.user}\\t' in asked.stdout"}
    return asks(["rabbitmqctl", "-q", "authenticate_user", one.user, verbatim(one.password.reveal())])


def _answering(one: Any) -> Task:
    return {"uri": {"url": one.url, "status_code": list(one.status), "follow_redirects": "none"}}


def _bootstrap(one: Any) -> Task:
    return {"uri": login(one.keystone.url, one.keystone.user, one.keystone.password.reveal()), "register": "admin"}


def _endpoint(one: Any) -> Task:
    task = ask_api(f"{one.keystone.url}/endpoints?interface={one.interface}&region_id={one.region}")
    return {**task, "failed_when": f"'{one.url}' {'not in' if one.enabled else 'in'} asked.content"}


def _project(one: Any) -> Task:
    task = ask_api(f"{one.keystone.url}/projects?name={one.project}&domain_id=default")
    return {**task, "failed_when": "asked.json.projects | length != 1"}


TASKS: dict[type[Resource], Callable[[Any], Task]] = {
    Group: _group,
    User: _user,
    Directory: _directory,
    File: _file,
    Symlink: _symlink,
    HostEntry: _host_entry,
    Package: _package,
    Unit: _unit,
    Command: _command,
    VirtualEnvironment: _environment,
    DatabaseAdministrator: _administrator,
    Database: _database,
    DatabaseAccount: _database_account,
    DatabaseSchema: _schema,
    QueueAccount: _queue_account,
    Answering: _answering,
    Bootstrap: _bootstrap,
    Endpoint: _endpoint,
    Project: _project,
    **cloud_tasks.TASKS,
}


def verification(answers: Answers, authority: str) -> list[Task]:
    """Return what `pystack install` asks at the end of a run that verifies, from the controller.

    Args:
        answers: the answer file.
        authority: CA certificate (PEM file) on the controller.
    """
    url = identity_url(answers)
    name, password = str(answers["CONFIG_KEYSTONE_ADMIN_USERNAME"]), answers["CONFIG_KEYSTONE_ADMIN_PW"].reveal()
    here = {"delegate_to": "localhost", "no_log": True}
    trust = {"ca_path": authority}
    return [
        {"name": "admin logs in", "uri": {**login(url, name, password), **trust}, **here},
        {"name": "wrong password", "uri": {**login(url, name, "wrong"), **trust, "status_code": 401}, **here},
        {"name": "endpoint", "uri": {"url": url, "status_code": [200, 300], **trust}, **here},
    ]


def _owned(one: Any) -> Task:
    return {"owner": one.owner, "group": one.group, "mode": f"{one.mode:04o}"}
