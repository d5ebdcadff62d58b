"""The set-ups, a file for each family of causes."""
from ground.setups import client, connections, healthy, http2, refused, servers, slots, wire

SETUPS = [setup for family in (slots, servers, connections, wire, client, refused, http2, healthy) for setup in family.SETUPS]
