from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.rules.harness import findings, fix

RULE = "cancellation-swallowed"

FOUND = {
    "everything is caught": """
        async def f(job):
            try:
                return await job()
            except BaseException as error:  # PB625
                print(f"failed: {error}")
            return None
    """,
    "bare handler": """
        async def f(job):
            try:
                await job()
            except:  # PB625
                pass
    """,
    "loop goes on": """
        import asyncio
        from asyncio import CancelledError

        async def f(job, logger):
            while True:
                try:
                    await job()
                except CancelledError as error:  # PB625
                    logger.info("%s", error)
                    continue

        async def g(jobs):
            for job in jobs:
                try:
                    async with job:
                        pass
                except (asyncio.CancelledError, ValueError):  # PB625
                    pass
    """,
    "more is awaited behind": """
        import asyncio

        async def f(job, mail):
            try:
                await job()
            except asyncio.CancelledError:  # PB625
                pass
            await mail()
    """,
}

SILENT = {
    "answered on purpose": """
        import asyncio

        async def f(job):
            try:
                return await job()
            except asyncio.CancelledError:
                return "default"

        async def stream(queue, response, log):
            try:
                while True:
                    await response.write(await queue.get())
            except asyncio.CancelledError:
                log.debug("the client has gone")
            finally:
                queue.close()
            return response
    """,
    "what a library raises": """
        from asyncio import CancelledError

        from discovery import ListenerError, devices

        async def find(errors, forms):
            try:
                found = await devices()
            except (ListenerError, CancelledError):
                errors["base"] = "cannot connect"
            await forms.show(errors)
    """,
    "raised again": """
        import asyncio

        async def f(job):
            try:
                await job()
            except asyncio.CancelledError:
                print("stopping")
                raise
            except BaseException:
                print("failed")

        async def g(job):
            try:
                await job()
            except BaseException as error:
                raise RuntimeError("failed") from error
    """,
    "exceptions only": """
        async def f(job):
            try:
                await job()
            except Exception:
                pass
    """,
    "nothing is awaited": """
        async def f(job):
            try:
                job()
            except BaseException:
                print("failed")
            await job.done()

        def g(job):
            try:
                job()
            except:
                pass

        async def h(job):
            try:
                async def inner():
                    await job()
            except BaseException:
                pass
    """,
    "the cancellation of another task": """
        import asyncio
        import contextlib

        async def stop(task):
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        async def stop_all(tasks):
            for task in tasks:
                task.cancel()
            try:
                await asyncio.wait_for(asyncio.gather(*tasks), timeout=5)
            except asyncio.CancelledError:
                pass
            await asyncio.sleep(1)

        async def join(task):
            while True:
                try:
                    await task
                except asyncio.CancelledError:
                    print("it was cancelled")

        async def suppressed(task):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    """,
    "the exception is handed on": """
        async def f(job, future, queue):
            try:
                await job()
            except BaseException as error:
                future.set_exception(error)
            try:
                await job()
            except BaseException as error:
                await queue.put(error)
    """,
    "counted down": """
        import asyncio

        async def f(job):
            try:
                await job()
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()
            await job()
    """,
    "remembered": """
        import asyncio

        async def f(job, save):
            cancelled = False
            try:
                await job()
            except asyncio.CancelledError:
                cancelled = True
            await save(cancelled)
    """,
    "last act": """
        import asyncio

        async def worker(self, queue):
            while True:
                try:
                    await queue.get()
                except asyncio.CancelledError:
                    break
            self.running = False
            print("stopped")

        async def other(queue):
            async with queue:
                try:
                    await queue.get()
                except asyncio.CancelledError:
                    return
    """,
    "last act of a task": """
        import asyncio

        async def respond(send):
            async def process():
                try:
                    await send()
                except asyncio.CancelledError:
                    pass
                return "sent"

            task = asyncio.create_task(process())
            return await task
    """,
    "last act of a service that is a task": """
        import asyncio

        class Service:
            def start(self, loop):
                self.task = loop.create_task(self.run())

            async def run(self):
                try:
                    await self.work()
                except BaseException:
                    print("failed")
                finally:
                    self.close()
    """,
    "clean-up": """
        import asyncio

        async def f(job, clients):
            try:
                await job()
            finally:
                for client in clients:
                    try:
                        await client.aclose()
                    except BaseException:
                        print("not closed")

        async def g(job, client):
            try:
                await job()
            except asyncio.CancelledError:
                try:
                    await client.aclose()
                except (asyncio.CancelledError, Exception):
                    pass
                raise
    """,
    "name that means something else": """
        from jobs import CancelledError

        async def f(job):
            while True:
                try:
                    await job()
                except CancelledError:
                    pass
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source) == []


HEAD = "import asyncio\n\n\nasync def f(job):\n    while True:\n        try:\n            await job()\n"
FIXED = {
    "pass": (
        "        except asyncio.CancelledError:\n            pass\n",
        "        except asyncio.CancelledError:\n            raise\n",
    ),
    "continue": (
        "        except asyncio.CancelledError:\n            print(1)\n            continue  # again\n",
        "        except asyncio.CancelledError:\n            print(1)\n            raise  # again\n",
    ),
    "last statement": (
        "        except asyncio.CancelledError:\n            print(1)  # one\n",
        "        except asyncio.CancelledError:\n            print(1)  # one\n            raise\n",
    ),
    "everything": (
        "        except BaseException as e:\n            print(e)\n",
        "        except Exception as e:\n            print(e)\n",
    ),
    "bare": ("        except:\n            print(1)\n", "        except Exception:\n            print(1)\n"),
    "several": (
        "        except (asyncio.CancelledError, ValueError):\n            pass\n",
        "        except (asyncio.CancelledError, ValueError):\n            pass\n",
    ),
    "on one line": (
        "        except asyncio.CancelledError: print(1)\n",
        "        except asyncio.CancelledError: print(1)\n",
    ),
}


@pytest.mark.parametrize(("handler", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(handler: str, expected: str) -> None:
    assert fix(RULE, HEAD + handler) == HEAD + expected


def load(path: Path, text: str) -> ModuleType:
    """Import a program that a test has written."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_timeout_gets_lost(tmp_path: Path) -> None:
    """The Bad shape, run: the timeout ends nothing and nobody hears of it; after the fix it does."""
    bad = (
        "import asyncio\n\n\nasync def f(job):\n    try:\n        return await job()\n"
        "    except BaseException:\n        print('failed')\n    return 'default'\n"
    )

    async def limited(module: ModuleType) -> str:
        try:
            async with asyncio.timeout(0.01):
                result: str = await module.f(asyncio.Event().wait)
                return result
        except TimeoutError:
            return "timeout"

    async def cancelled(module: ModuleType) -> bool:
        task = asyncio.create_task(module.f(asyncio.Event().wait))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    before, after = load(tmp_path / "bad.py", bad), load(tmp_path / "good.py", fix(RULE, bad))
    assert asyncio.run(limited(before)) == "default"
    assert asyncio.run(limited(after)) == "timeout"
    assert asyncio.run(cancelled(before)) is False
    assert asyncio.run(cancelled(after)) is True
