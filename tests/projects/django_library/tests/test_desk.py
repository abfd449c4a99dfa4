"""Tests of the desk."""

import unittest

from desk.services import titles_at_once


async def waiting():
    return titles_at_once([])


class WaitingTests(unittest.TestCase):
    async def test_nothing_waits(self):  # PB803
        self.assertEqual(await waiting(), [])


class AsyncWaitingTests(unittest.IsolatedAsyncioTestCase):
    async def test_nothing_waits(self):
        self.assertEqual(await waiting(), [])
