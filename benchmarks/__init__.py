"""What the linter costs and how right it is, measured on real projects."""
