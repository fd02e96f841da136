"""The door to a local object directory: HTTP addresses that are good for a while, as S3 has them."""
