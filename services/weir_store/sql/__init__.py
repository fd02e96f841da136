"""SQL that people write: what of it may pass, and asking it within limits."""
