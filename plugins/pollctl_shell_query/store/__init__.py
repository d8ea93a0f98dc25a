"""Every SQL statement of a pass, and those by which commands write; the tables are in migrations, listings in queries."""
