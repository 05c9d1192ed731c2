"""GET /hello-world?name=… answers at once, and leaves the slow part to an event step."""

from pydantic import BaseModel


class Greeted(BaseModel):
    message: str
    greeting_id: str


config = {
    "name": "HelloWorld",
    "type": "api",
    "method": "GET",
    "path": "/hello-world",
    "description": "Greets, and has the greeting stored in the background",
    "queryParams": [{"name": "name", "description": "Who to greet"}],
    "responseSchema": {200: Greeted},
    "emits": ["greeting.sent"],
    "flows": ["hello"],
}


async def handler(req, context):
    name = req["queryParams"].get("name", "world")
    await context.emit({"topic": "greeting.sent", "data": {"greeting_id": context.trace_id, "name": name}})
    context.logger.info("Greeting sent", {"name": name})
    return {"status": 200, "body": {"message": f"Hello, {name}!", "greeting_id": context.trace_id}}
