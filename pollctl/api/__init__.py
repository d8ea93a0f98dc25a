"""The contract between the core and plugins: hooks, values, and the pass as they see it."""
