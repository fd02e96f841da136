"""What nodes measured of themselves: the words, the door, and who answers at it."""
