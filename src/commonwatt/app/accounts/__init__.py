"""Who may sign in, and what of a site an account may see and do."""
