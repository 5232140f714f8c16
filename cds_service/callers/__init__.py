"""Who may call: the clients of the site, and the keys with which they sign."""
