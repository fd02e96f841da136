"""What processes printed: the words, the door, and who answers at it."""
