"""Door locks: what the lock said, what that means, and what to send next."""
