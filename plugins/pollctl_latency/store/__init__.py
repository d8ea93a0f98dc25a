"""Every SQL statement of a pass and every one that writes; the tables are in migrations, listings in queries."""
