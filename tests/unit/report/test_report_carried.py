"""What could not be carried over from an older answer file."""

from installer.answers import carry
from installer.report.carried import losses

OLD = """[general]
CONFIG_CONTROLLER_HOST=node1
CONFIG_KEYSTONE_TOKEN_FORMAT=UUID
CONFIG_REDIS_HA=n
CONFIG_REDIS_MASTER_NAME=mymaster
CONFIG_NOVA_COMPUTE_MANAGER=nova.compute.manager.ComputeManager
"""


def test_warnings_come_with_their_line_and_the_rest_is_grouped_by_reason():
    assert [line for line, _ in losses(carry(OLD, "old.txt").lost)] == [
        "old.txt:3: warning: CONFIG_KEYSTONE_TOKEN_FORMAT is not carried over: UUID tokens were removed from OpenStack",
        "    CONFIG_KEYSTONE_TOKEN_FORMAT=UUID",
        "                                 ^^^^",
        "not carried over, by reason (with the lines of the old file):",
        "  Redis runs once, on CONFIG_REDIS_HOST.",
        "      CONFIG_REDIS_HA (4), CONFIG_REDIS_MASTER_NAME (5)",
        "  the compute service has one manager only.",
        "      CONFIG_NOVA_COMPUTE_MANAGER (6)",
    ]


def test_a_file_that_is_carried_over_whole_has_no_losses():
    assert losses(carry("[general]\nCONFIG_CONTROLLER_HOST=node1\n", "old.txt").lost) == []
