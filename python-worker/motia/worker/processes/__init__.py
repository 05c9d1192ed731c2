"""The handler processes of one worker, as the broker process sees them."""
