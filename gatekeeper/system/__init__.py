"""The server itself: what it is, since when, and what it uses."""
