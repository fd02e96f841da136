"""Correcting, deleting, moving and merging what is stored; retention, holds and receipts."""
