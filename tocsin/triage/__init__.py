"""8. State machine, assignment, history."""
