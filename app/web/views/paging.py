"""Long lists come from the server page by page."""

from dataclasses import dataclass
from urllib.parse import urlencode

PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where in a list the page stands."""

    number: int
    total: int
    word: str
    per_page: int = PER_PAGE

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.per_page))

    @property
    def offset(self) -> int:
        """Rows to pass over."""
        return (self.number - 1) * self.per_page


def query_of(path: str, filters: dict[str, str]) -> str:
    """The address with its filters, ready for ``page=``."""
    kept = {name: value for name, value in filters.items() if value}
    return f"{path}?{urlencode(kept)}&" if kept else f"{path}?"
