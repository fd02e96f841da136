"""Rows as they lie, out of the tables and back into them."""
