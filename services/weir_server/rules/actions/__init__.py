"""What rules can do: each kind of action is one function that does it, or says why not."""
