"""Who: users, organisations, agencies, roles."""
