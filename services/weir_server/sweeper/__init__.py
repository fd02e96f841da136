"""What is done to stored things from time to time: going on with what was cut off, retention, late rows."""
