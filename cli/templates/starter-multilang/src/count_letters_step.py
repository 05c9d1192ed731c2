"""Takes what the TypeScript step has emitted, and emits what it has made of it."""

config = {
    "name": "CountLetters",
    "type": "event",
    "subscribes": ["greeting.sent"],
    "emits": ["letters.counted"],
    "flows": ["hello"],
}


async def handler(greeting, context):
    letters = sum(character.isalpha() for character in greeting["name"])
    await context.state.set("greetings", greeting["greetingId"], {"name": greeting["name"], "letters": letters})
    await context.emit({"topic": "letters.counted", "data": {"greetingId": greeting["greetingId"]}})
