"""What a plugin is held against beyond that it loads: its facts, its tables, and whether its ``decide`` is pure."""
