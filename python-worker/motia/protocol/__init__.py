"""The wire protocol of `docs/protocol.md`, pure: names, frames, headers, trace context."""
