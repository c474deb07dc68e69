"""What people see of a ranking: who may see which exhibit, and the exhibits themselves – one rule for page, CSV and XLSX."""
