"""The site's database: SQLite in the data folder, or PostgreSQL by URL. Nothing outside knows SQL."""
