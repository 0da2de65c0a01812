"""Passes requests on to a server and keeps them as they came, with what was answered, for `mix.lua` to ask again.

Usage: record.py PORT SERVER_PORT FILES
They are kept in eight files, FILES.0 to FILES.7, of which each has some vaults whole. Only requests that tell their length are
kept, each after a line with its number of bytes, and the status and the id that it was answered (or `-`); what a client says in
other ways passes unseen.
"""

import asyncio
import collections
import re
import sys
import zlib

port, server_port = int(sys.argv[1]), int(sys.argv[2])
files = [open(f"{sys.argv[3]}.{number}", "wb") for number in range(8)]


def file_of(request):
    """Where the requests to a vault are kept."""
    vault = re.match(rb"\S+ [^ ]*/vaults/([^/? ]*)", request)
    return files[zlib.crc32(vault[1] if vault else b"") % len(files)]


async def answers_to(asked, reader, writer):
    """Passes answers on, and keeps each request of a connection when its answer begins."""
    while some := await reader.read(1 << 16):
        if asked and (status := re.match(rb"HTTP/1\.1 (\d+)", some)):
            request, made = asked.popleft(), re.search(rb"\r\nx-amz-(?:archive|job|multipart-upload)-id: *(\S+)\r\n", some, re.I)
            file_of(request).write(b"%d %s %s\n" % (len(request), status[1], made[1] if made else b"-") + request)
        writer.write(some)
        await writer.drain()
    writer.close()


async def requests_of(asked, reader, writer):
    """Passes on requests until there is one whose end is not known."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if re.search(rb"\r\n(transfer-encoding|expect|connection):", head, re.I):
            writer.write(head)
            return
        length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.I)
        body = await reader.readexactly(int(length[1])) if length else b""
        asked.append(head + body)
        writer.write(head + body)
        await writer.drain()


async def pass_on(reader, writer):
    while some := await reader.read(1 << 16):
        writer.write(some)
        await writer.drain()


async def serve(reader, writer):
    served_by, served = await asyncio.open_connection("127.0.0.1", server_port)
    asked = collections.deque()
    answers = asyncio.create_task(answers_to(asked, served_by, writer))
    try:
        await requests_of(asked, reader, served)
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
