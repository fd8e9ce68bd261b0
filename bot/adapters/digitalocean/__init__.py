"""DigitalOcean: managed databases and DNS over REST."""
