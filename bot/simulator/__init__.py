"""The simulated department, spoken to over real wire protocols."""
