"""All entries of the table, and the beds that many of them share."""
from ground.programs.entries import aiohttp, healthy, httpx, idioms, innocent, others, requests, standard

ENTRIES = [entry for module in (aiohttp, httpx, requests, standard, others, idioms, healthy, innocent) for entry in module.ENTRIES]
