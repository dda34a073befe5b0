"""An S3 of its own, with an empty bucket for each name that it is given, for as long as somebody
holds its input. Google's XML API is S3's, but for who asks and how; it believes both."""

import logging
import sys
import urllib.request

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
for bucket in sys.argv[1:]:
    urllib.request.urlopen(urllib.request.Request(f"{url}/{bucket}", method="PUT")).close()
print(f"listening on {url}", flush=True)
sys.stdin.read()
server.stop()
