"""The one SQLite file: opened, migrated, guarded, and what the core remembers in it."""
