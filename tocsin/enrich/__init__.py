"""3. Event to Event with context: geography, user agent, addresses."""
