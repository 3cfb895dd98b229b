"""The scripted model: a server that speaks OpenAI's protocol, with written answers."""
