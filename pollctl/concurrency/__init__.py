"""Work side by side that ends in time."""
