"""latency: is a connection good, measured over hours."""
