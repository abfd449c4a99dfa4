"""Programs for those who work on pybackend-lint itself."""
