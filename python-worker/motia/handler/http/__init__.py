"""HTTP as handlers see it: from a request's bytes to `req`, and from what they return to a response."""
