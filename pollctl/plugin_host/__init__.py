"""Plugins as guests: found, loaded, held against the contract, and their hooks called."""
