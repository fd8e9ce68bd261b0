"""Cards: a state to the message that shows it, pure."""
