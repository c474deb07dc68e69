"""Pages of the bidding stage."""
