"""The platforms that declarations come from and go to, each in its own form; one file a platform.

``CONNECTORS`` has them by the name under which a platform's registration picks one.
"""

from collections.abc import Mapping
from types import MappingProxyType

from motma.connectors.platforms.bluezone import BLUEZONE
from motma.connectors.platforms.dhis2 import DHIS2
from motma.connectors.platforms.dicuan import DICUAN
from motma.connectors.platforms.fhir import Fhir
from motma.connectors.platforms.items import Connector, Item, Reported, Sent, Skipped, in_their_names
from motma.connectors.platforms.ncovi import NCOVI
from motma.connectors.platforms.table import TableConnector
from motma.connectors.platforms.tokhaiyte import TOKHAIYTE

__all__ = ["CONNECTORS", "Connector", "Item", "Reported", "Sent", "Skipped", "in_their_names"]

_ALL: tuple[Connector, ...] = (TOKHAIYTE, NCOVI, BLUEZONE, DICUAN, Fhir(), DHIS2, TableConnector())

CONNECTORS: Mapping[str, Connector] = MappingProxyType({connector.name: connector for connector in _ALL})
"""Name -> connector."""
