"""What people use in Python: clients.py NAME ADDRESS, NAME is httpx, aiohttp or requests."""
import asyncio
import os
import sys

LARGE = os.urandom(3_000_000)


def pieces():
    for at in range(0, len(LARGE), 50_000):
        yield LARGE[at : at + 50_000]


async def async_pieces():
    for piece in pieces():
        yield piece


def requests(base):
    import requests

    with requests.Session() as session:
        assert session.get(base + "/hello").text == "hello"
        assert session.head(base + "/hello").headers["content-length"] == "5"
        assert session.get(base + "/none").status_code == 404
        assert session.post(base + "/hello", data=b"unread").status_code == 405
        assert session.post(base + "/hello", data=iter([b"unread", b"chunks"])).status_code == 405
        assert session.post(base + "/echo", data=b"").content == b""
        assert session.post(base + "/echo", data=LARGE).content == LARGE
        assert session.post(base + "/echo", data=pieces()).content == LARGE
        with session.post(base + "/echo", data=LARGE, stream=True) as streamed:
            assert b"".join(streamed.iter_content(10_000)) == LARGE
        assert session.get(base + "/hello?50%", params={"q": "[a|b]"}).text == "hello"


def httpx(base):
    import httpx

    with httpx.Client(timeout=20) as client:
        assert client.get(base + "/hello").text == "hello"
        assert client.head(base + "/hello").headers["content-length"] == "5"
        assert client.get(base + "/none").status_code == 404
        assert client.post(base + "/hello", content=b"unread").status_code == 405
        assert client.post(base + "/echo", content=LARGE).content == LARGE
        assert client.post(base + "/echo", content=pieces()).content == LARGE

    async def many():
        async with httpx.AsyncClient(timeout=20) as client:
            answers = await asyncio.gather(*(client.post(base + "/echo", content=b"%d" % i) for i in range(50)))
            assert [answer.content for answer in answers] == [b"%d" % i for i in range(50)]

    asyncio.run(many())


def aiohttp(base):
    import aiohttp

    async def all_of_it():
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            async with session.get(base + "/hello") as answer:
                assert await answer.text() == "hello"
            async with session.post(base + "/hello", data=b"unread") as answer:
                assert answer.status == 405
            async with session.post(base + "/echo", data=LARGE) as answer:
                assert await answer.read() == LARGE
            async with session.post(base + "/echo", data=async_pieces()) as answer:
                assert await answer.read() == LARGE
            async with session.post(base + "/echo", data=LARGE, expect100=True) as answer:
                assert await answer.read() == LARGE
            for compress in (0, 15):
                async with session.ws_connect(base + "/ws", compress=compress, max_msg_size=1 << 24) as socket:
                    for text in ("", "hello", "\u4e2d" * 30_000):
                        await socket.send_str(text)
                        assert await socket.receive_str() == text
                    await socket.send_bytes(LARGE)
                    assert await socket.receive_bytes() == LARGE
                    await socket.ping()
                    await socket.close()
                    assert socket.close_code == 1000, socket.close_code

    asyncio.run(all_of_it())


{"requests": requests, "httpx": httpx, "aiohttp": aiohttp}[sys.argv[1]]("http://" + sys.argv[2])
