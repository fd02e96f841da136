"""Many runs at once, for comparing them: what they were told, and what their metrics came to."""
