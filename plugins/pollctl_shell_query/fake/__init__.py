"""A small Marketing Cloud on the loopback."""
