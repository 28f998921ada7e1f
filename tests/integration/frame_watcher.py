"""A WAMP client in a process of its own: prints a line of JSON for each of a camera's next frames, and leaves.

python frame_watcher.py SERIALIZER CAMERA COUNT, with GATEKEEPER_URL and GATEKEEPER_TOKEN.
"""

import asyncio
import hashlib
import json
import os
import sys
from typing import Any

from autobahn.asyncio.component import Component, run

serializer, camera, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
transport = {"type": "websocket", "url": os.environ["GATEKEEPER_URL"], "serializers": [serializer]}
token = {"ticket": {"authid": "admin", "ticket": os.environ["GATEKEEPER_TOKEN"]}}
watcher = Component(transports=[transport], realm="gatekeeper", authentication=token)


@watcher.on_join  # type: ignore[untyped-decorator]  # Autobahn has no types here
async def joined(session: Any, details: Any) -> None:
    frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def arrived(jpeg: Any, **about: Any) -> None:
        frames.put_nowait(
            {
                **about,
                "type": type(jpeg).__name__,
                "whole": jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9",
                "length": len(jpeg),
                "digest": hashlib.sha256(jpeg).hexdigest(),
            }
        )

    await session.subscribe(arrived, f"gatekeeper.camera.{camera}.frame")
    for _ in range(count):
        print("frame " + json.dumps(await frames.get()), flush=True)
    session.leave()


run([watcher], log_level="warn")
