"""Weir: experiment tracking for training on many nodes."""
