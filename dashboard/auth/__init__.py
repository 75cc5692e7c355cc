"""Who may ask for what: bearer tokens, logins by browser, and protection of what they may do."""
