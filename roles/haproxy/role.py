"""HAProxy: ends TLS for every API and passes the requests on to uwsgi."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer import confinement
from installer.cloud import Cloud, CloudHost
from installer.ports import APIS, PORTS, REDIRECTED, local_port
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role, all_roles
from installer.urls import DASHBOARD
from roles.tls.role import SERVER

CONFIGURATION = "/etc/haproxy/haproxy.cfg"
#: What a browser gets that asks for nothing in particular. API to path.
FIRST_PAGES = {"horizon": f"{DASHBOARD}/"}
#: APIs to which the body of a request is passed on as it comes, however long that takes.
STREAMED = ("glance",)


class HAProxy(Role):
    """HAProxy on the controller, on the port of every API that the answer file asks for."""

    name = "haproxy"
    title = "TLS for the APIs (HAProxy)"
    groups = ("controller",)
    after_here = ("tls",)

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        apis = wanted_apis(cloud)
        ports = [PORTS[api] for api in apis] + [REDIRECTED[api] for api in apis if api in REDIRECTED]
        return dict.fromkeys(ports, ("haproxy",))

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Package(facts["package"])
        yield rendered_file(
            CONFIGURATION,
            "haproxy/haproxy.cfg.j2",
            certificate=SERVER,
            # IPv6 where the host has it; elsewhere HAProxy would fail to listen.
            both=any(":" in address for address in (host.address, *host.facts.get("addresses", ()))),
            apis=[
                {
                    "name": api,
                    "port": PORTS[api],
                    "server": f"127.0.0.1:{local_port(api)}",
                    "redirected": REDIRECTED.get(api),
                    "first_page": FIRST_PAGES.get(api),
                    "streamed": api in STREAMED,
                }
                for api in wanted_apis(cloud)
            ],
        )
        yield from confinement.resources(facts, host)
        yield Unit(facts["unit"], reads=(CONFIGURATION, SERVER), reload=True)


def wanted_apis(cloud: Cloud) -> list[str]:
    """Return the APIs whose roles the answer file asks for, sorted by name."""
    wanted = {role.name for role in all_roles() if role.wanted(cloud)}
    return sorted(api for api, role in APIS.items() if role in wanted)


ROLE = HAProxy()
