"""Settings: one TOML file, environment overrides, secrets."""
