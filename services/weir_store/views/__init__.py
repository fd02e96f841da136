"""The stable views that SQL sees: what each column says, and the statements that make them."""
