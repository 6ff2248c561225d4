"""Marks answers against their rubrics."""
