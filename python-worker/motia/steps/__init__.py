"""A project's steps: found, checked, described, loaded."""
