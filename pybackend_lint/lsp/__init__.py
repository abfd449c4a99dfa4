"""The language server: findings while one types, fixes, documentation; needs the extra `lsp`."""
