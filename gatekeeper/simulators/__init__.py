"""Virtual devices on real loopback sockets, with the real devices' faults as switches.

They are the demo site's hardware, and the tests'.
"""
