"""What names mean in one file: scopes and bindings, qualified names, light types."""
