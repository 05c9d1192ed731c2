"""Inside a handler process: runs, the context that handlers receive, and what user code may not break."""
