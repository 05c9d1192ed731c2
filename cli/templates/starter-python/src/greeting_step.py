"""GET /greetings/:id gives one of the stored greetings. A plain `def` runs in a thread and awaits nothing."""

config = {
    "name": "Greeting",
    "type": "api",
    "method": "GET",
    "path": "/greetings/:id",
    "emits": [],
    "flows": ["hello"],
}


def handler(req, context):
    greeting = context.state.get("greetings", req["pathParams"]["id"])
    if not greeting:
        return {"status": 404, "body": {"error": "No such greeting"}}
    return {"status": 200, "body": greeting}
