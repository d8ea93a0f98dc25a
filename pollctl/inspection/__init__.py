"""Looking without touching: status, check, inventory, metrics."""
