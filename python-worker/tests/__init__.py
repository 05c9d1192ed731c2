"""Tests: `unit` of pure functions, `integration` on a real nats-server."""
