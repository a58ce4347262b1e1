"""Least total travel and least worst travel without further rules: the methods made for them."""
