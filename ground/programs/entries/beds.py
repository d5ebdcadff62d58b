"""Beds that many entries share."""
from ground.programs.bed import Lab

NEAR = Lab("--delay 20ms")  # as most services are: next door, and with something to do
SLOW = Lab("--delay 200ms")
QUICK = Lab()
UNEVEN = Lab("--delay lognormal:60ms:0.8")
FAR = Lab("--link rtt=50ms --tls good")  # a new connection costs three times a request
FAR_PLAIN = Lab("--link rtt=50ms")
NARROW = Lab("--link rtt=20ms,rate=20mbit,queue=200")
TRUSTED = {"SSL_CERT_FILE": "{ca}", "REQUESTS_CA_BUNDLE": "{ca}", "CURL_CA_BUNDLE": "{ca}", "NODE_EXTRA_CA_CERTS": "{ca}"}
