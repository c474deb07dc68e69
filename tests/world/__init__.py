"""Builders: small worlds made through the same services a person clicks."""
