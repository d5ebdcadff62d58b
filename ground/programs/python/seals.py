"""Loads seals, with trust made anew for each: seals.py URL COUNT"""
import os
import ssl
import sys
import urllib.request


def load(url):
    trust = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    if os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        trust.load_verify_locations("/etc/ssl/certs/ca-certificates.crt")
    with urllib.request.urlopen(url, context=trust) as response:
        return len(response.read())


base, count = sys.argv[1], int(sys.argv[2])
print(sum(load(f"{base}/bytes/1k?n={number}") for number in range(count)), "bytes of seals")
