"""What the broker process and the handler processes share: memory, tickets and the form of their messages."""
