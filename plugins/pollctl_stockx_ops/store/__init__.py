"""Every SQL statement that writes, and those by which a pass reads; the tables are in migrations, listings in queries."""
