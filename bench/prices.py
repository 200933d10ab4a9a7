"""The price list, bench/price_list.toml, as the bill reads it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("price_list.toml")
_UNITS = {"per_million_": 1e6, "per_ten_thousand_": 1e4, "per_thousand_": 1e3}


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars, by names such as `s3.per_thousand_puts`. `assumed` is stated, not measured; the file says why."""

    as_of: str
    region: str
    listed: Mapping[str, Mapping[str, float]]

    def __getitem__(self, name: str) -> float:
        """The dollars of a single piece, whatever number of them the list names. Raises KeyError."""
        service, _, price = name.partition(".")
        pieces = next((number for prefix, number in _UNITS.items() if price.startswith(prefix)), 1)
        return self.listed[service][price] / pieces

    def assumed(self, name: str) -> float:
        return self.listed["assumed"][name]


def read_prices() -> Prices:
    content = tomllib.loads(_FILE.read_text())
    return Prices(content.pop("as_of"), content.pop("region"), content)
