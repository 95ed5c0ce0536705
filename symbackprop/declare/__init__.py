"""From the user's words to a system of equations."""
