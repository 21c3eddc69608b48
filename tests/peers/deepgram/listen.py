"""Plays a recording into /v1/listen with the official Python SDK, unmodified.

    python listen.py <http url> <api key> <raw audio> <bytes per second> <query as JSON>

Prints each message as the SDK has parsed it, one JSON object a line. The audio goes out four times
as fast as it was said; in the middle comes a Finalize, at the end a CloseStream.
"""

import json
import sys
import threading
import time

from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment

SPEED = 4
FRAME_SECONDS = 0.1


def environment(url):
    socket = url.replace("http", "ws", 1)
    return DeepgramClientEnvironment(base=url, production=socket, agent=socket, agent_rest=url)


def show(kind, message):
    # A message that the SDK could not read stays a dictionary, which would be a failure.
    fields = message.model_dump() if hasattr(message, "model_dump") else {"unread": str(message)}
    print(json.dumps({"event": kind, "class": type(message).__name__, **fields}), flush=True)


def main():
    url, key, recording, bytes_per_second, query = sys.argv[1:]
    client = DeepgramClient(api_key=key, environment=environment(url))
    with open(recording, "rb") as file:
        audio = file.read()
    with client.listen.v1.connect(**json.loads(query)) as connection:
        connection.on(EventType.MESSAGE, lambda message: show("message", message))
        connection.on(EventType.ERROR, lambda error: show("error", error))
        listener = threading.Thread(target=connection.start_listening)
        listener.start()
        connection.send_keep_alive()
        frame = int(int(bytes_per_second) * FRAME_SECONDS)
        finalized = False
        for at in range(0, len(audio), frame):
            connection.send_media(audio[at : at + frame])
            time.sleep(FRAME_SECONDS / SPEED)
            if not finalized and at >= len(audio) / 2:
                connection.send_finalize()
                finalized = True
        connection.send_close_stream()
        listener.join(120)
        if listener.is_alive():
            sys.exit("the stream did not end")


main()
