"""An embeddable WAMP router for Twisted and Autobahn: sans-I/O but for transport.py; it knows nothing of doors."""
