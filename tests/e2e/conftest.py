"""One Weir for all end-to-end tests that do not break it."""

from tests.e2e.fixtures_dashboard import browser, page, served
from tests.e2e.fixtures_up import embedded_weir

__all__ = ["browser", "embedded_weir", "page", "served"]
