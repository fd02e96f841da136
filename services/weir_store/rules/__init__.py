"""Rules over what runs do: their definitions, where their groups stand, what is to be told."""
