"""One pass of one plugin, from its lock to its end; planned, replayed and reported as well."""
