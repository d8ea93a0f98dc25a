"""Every SQL statement that a pass makes, and those by which commands change rows; listings are in queries."""
