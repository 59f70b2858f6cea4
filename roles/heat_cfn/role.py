"""Orchestration for templates of CloudFormation, and for instances that tell how far they are."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.roles import Role
from installer.urls import api_url
from roles import service
from roles.heat.role import CONFIGURATION, USER
from roles.heat.role import ROLE as HEAT

UNIT = "openstack-heat-api-cfn.service"


class HeatCloudFormation(Role):
    """Heat's second API behind HAProxy, on the controller."""

    name = "heat_cfn"
    title = "CloudFormation (Heat)"
    groups = ("controller",)
    after_here = ("heat",)
    units = (UNIT,)

    def wanted(self, cloud: Cloud) -> bool:
        return HEAT.wanted(cloud) and bool(cloud.answers["CONFIG_HEAT_CFN_INSTALL"])

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        url = api_url(cloud.answers, "heat-cfn", "/v1")
        return service.endpoints(cloud, "heat-cfn", "cloudformation", url, "Orchestration as CloudFormation")

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.api(
            cloud,
            host,
            USER,
            name="heat-cfn",
            unit=UNIT,
            module="heat.wsgi.cfn:application",
            reads=(CONFIGURATION,),
        )
        yield service.answering(cloud, "heat-cfn", UNIT)


ROLE = HeatCloudFormation()
