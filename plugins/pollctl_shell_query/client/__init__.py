"""How Marketing Cloud is spoken to."""
