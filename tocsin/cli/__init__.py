"""The command line: one module for each command, all but `up` clients of the server's API."""
