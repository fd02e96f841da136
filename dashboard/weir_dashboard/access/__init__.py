"""Who looks at the dashboard, how they come in, and what of the store they can ask."""
