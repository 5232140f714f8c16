"""What JSON is taken from others: how deep, of how many parts, and with no name twice."""
