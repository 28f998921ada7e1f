"""The web side: routes, pictures and the dashboard."""
