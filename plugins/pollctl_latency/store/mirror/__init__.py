"""Jobs kept elsewhere, as rows: how far their samples have been sent, and what comes next."""
