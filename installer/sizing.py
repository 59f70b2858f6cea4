"""How many processes each service runs: the answer file's number, or one that fits the host."""

from __future__ import annotations

from installer.cloud import Cloud, CloudHost

MOST = 8
#: With one worker each, the services of an all-in-one take 3.7 GiB, so a host of 8 GiB has room for its instances.
#: One more worker for each of the eight APIs takes about 1.2 GiB (measured with release 2026.2).
FOR_ONE_MIB = 8192
FOR_ONE_MORE_MIB = 1536
#: What those services take, and what a system with nova-compute alone takes (Nova's own default).
SERVICES_MIB, SYSTEM_MIB = 3840, 512
#: Each worker serves that many requests at a time.
THREADS = 4


def workers(cloud: Cloud, host: CloudHost) -> int:
    """Return how many worker processes each API runs on a host.

    Args:
        cloud: its answer file may say (CONFIG_SERVICE_WORKERS).
        host: with facts; one worker without them.
    """
    asked = cloud.answers["CONFIG_SERVICE_WORKERS"]
    if asked:
        return int(asked)
    spare = int(host.facts.get("memory_mib", 0)) - FOR_ONE_MIB
    return max(1, min(1 + max(0, spare) // FOR_ONE_MORE_MIB, int(host.facts.get("cores", 1)), MOST))


def reserved_memory(host: CloudHost) -> int:
    """Return how many MiB of a host's memory its instances may not have.

    Args:
        host: with facts. A controller keeps what the services of an all-in-one take, but leaves half of its memory.
    """
    if "controller" not in host.groups:
        return SYSTEM_MIB
    return max(SYSTEM_MIB, min(SERVICES_MIB, int(host.facts.get("memory_mib", 0)) // 2))
