"""The site's database: SQLite in the data folder, or PostgreSQL by URL. Nothing outside knows SQL."""

from gatekeeper.storage.connect import Blocking, connect, url_of
from gatekeeper.storage.database import Database, Health

__all__ = ["Blocking", "Database", "Health", "connect", "url_of"]
