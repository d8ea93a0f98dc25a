"""Settings and the frozen values that travel from fetch through decide to the database."""
