"""Passes requests on to a server and keeps them as they came, for `mix.lua` to ask again: record.py PORT SERVER_PORT FILE

Only requests that tell their length are kept, each after a line with its number of bytes; what a client says in other ways passes unseen.
"""

import asyncio
import re
import sys

port, server_port, file = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], "wb")


async def pass_on(reader, writer):
    while some := await reader.read(1 << 16):
        writer.write(some)
        await writer.drain()
    writer.close()


async def requests_of(reader, writer):
    """Passes on and keeps requests until there is one whose end is not known."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        if re.search(rb"\r\n(transfer-encoding|expect|connection):", head, re.I):
            return
        length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.I)
        body = await reader.readexactly(int(length[1])) if length else b""
        writer.write(body)
        await writer.drain()
        file.write(b"%d\n" % len(head + body) + head + body)


async def serve(reader, writer):
    served_by, served = await asyncio.open_connection("127.0.0.1", server_port)
    answers = asyncio.create_task(pass_on(served_by, writer))
    try:
        await requests_of(reader, served)
        await pass_on(reader, served)
    except asyncio.IncompleteReadError as rest:
        served.write(rest.partial)
    except (asyncio.LimitOverrunError, OSError):
        served.close()
    finally:
        await asyncio.wait([answers], timeout=1)
        writer.close()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20) as server:
        await server.serve_forever()


asyncio.run(main())
