"""Cameras that connect to us: the ESP32-S3 camera of seed 004, over WebSocket."""
