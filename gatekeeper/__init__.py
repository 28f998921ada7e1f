"""Gatekeeper: the server that watches cameras and works doors."""

__version__ = "0.1.0"
