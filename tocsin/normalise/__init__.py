"""2. Raw record to Event: pipelines of processors, reserved and standard attributes."""
