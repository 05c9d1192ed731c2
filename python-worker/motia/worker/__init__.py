"""The broker process: takes messages, hands them to handler processes, decides outcomes. Runs no user code."""
