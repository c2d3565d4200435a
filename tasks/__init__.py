"""How each step is done: one slice a capability, on a ground floor that all of them share."""
