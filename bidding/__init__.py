"""投标: the applicants' side — bids, budgets, attachments."""
