"""Passes in processes of their own: started, bounded, ended, and what came of them."""
