"""Words for people: every sentence in Vietnamese and in English, side by side, where it is needed."""

from typing import NamedTuple


class Words(NamedTuple):
    """One sentence in both languages; Vietnamese first."""

    vi: str
    en: str

    def said_in(self, language: str) -> str:
        """The sentence in ``language`` ("vi" or "en"); anything else gets Vietnamese."""
        return self.en if language == "en" else self.vi
