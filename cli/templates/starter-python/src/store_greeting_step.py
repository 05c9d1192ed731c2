"""Runs after the caller has its answer, and again if it fails."""

from datetime import datetime, timezone

from pydantic import BaseModel


class Greeting(BaseModel):
    greeting_id: str
    name: str


config = {
    "name": "StoreGreeting",
    "type": "event",
    "subscribes": ["greeting.sent"],
    "emits": [],
    "input": Greeting,
    "flows": ["hello"],
}


async def handler(greeting, context):
    stored = {"name": greeting["name"], "at": datetime.now(timezone.utc).isoformat()}
    await context.state.set("greetings", greeting["greeting_id"], stored)
    context.logger.info("Greeting stored", {"greeting_id": greeting["greeting_id"]})
