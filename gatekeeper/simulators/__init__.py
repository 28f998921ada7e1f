"""Virtual devices on real loopback sockets: the demo site's hardware, and the tests', with the real devices' faults as switches."""
