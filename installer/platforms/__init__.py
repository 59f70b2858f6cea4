"""What differs between distributions, as data: a file per platform, with the facts that roles ask for.

A platform is a distribution in one version, or in several that hardly differ. Its file says how a host of it is known,
what package manager it has, and for each role the facts, each with its source and whether it was seen at work.
"""

from __future__ import annotations

from installer.platforms.facts import Facts as Facts
from installer.platforms.facts import MissingFact as MissingFact
from installer.platforms.platform import Platform as Platform
from installer.platforms.platform import entries as entries
from installer.platforms.platform import facts as facts
from installer.platforms.platform import find as find
from installer.platforms.platform import misnamed as misnamed
from installer.platforms.platform import newest as newest
from installer.platforms.platform import short_name as short_name
from installer.platforms.platform import supported as supported
from installer.platforms.platform import supported_titles as supported_titles
from installer.platforms.tables import Fact as Fact
