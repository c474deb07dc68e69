"""Who may open what: every address as every role in every stage of a call, against the declared matrix."""
