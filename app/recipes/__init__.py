"""Recipes: breaking changes as expand/contract plans, generated from the statement and the catalog."""
