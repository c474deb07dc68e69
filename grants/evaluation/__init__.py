"""评估： mid-term, final, closing, track record."""
