"""评审: the assessors' side — experts, conflicts, assignment, scoring, ranking."""
