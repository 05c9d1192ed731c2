"""Access to the broker: the only package that imports the NATS client."""
