"""What the engine and the handlers need of the world, in their own words."""
