"""The lab of this repository is the server: `muster lab`. MUSTER is the command, else build/muster at the repository's top."""

import os
import subprocess
from pathlib import Path

MUSTER = os.environ.get("MUSTER", str(Path(__file__).resolve().parents[2] / "build" / "muster"))


class Lab:
    def __init__(self, *options):
        self.process = subprocess.Popen([MUSTER, "lab", *options], stdout=subprocess.PIPE, text=True)
        self.urls, self.ca = {}, None
        for line in self.process.stdout:
            name, value = line.split()[:2]
            if value.startswith("http"):
                self.urls[name] = value.rstrip("/")
            elif name == "ca":
                self.ca = value
            if name == "dns" and self.ca or name == "ca" and "dns" in self.urls:
                break
            if name == "dns":
                self.urls["dns"] = value
                if not any(url.startswith("https") for url in self.urls.values()):
                    break

    def url(self, path="/plain", listener="plain"):
        return self.urls[listener] + path

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
