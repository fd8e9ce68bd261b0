"""DigitalOcean: managed databases and DNS, and what the account holds and costs, over REST."""
