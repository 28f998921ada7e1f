"""Cameras: bytes from a device become frames with a state, and frames reach whoever watches."""
