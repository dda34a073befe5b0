"""A service account as Google gives them out, with a key of its own, for the store at a URL."""

import json
import sys

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
account = {
    "type": "service_account",
    "client_email": "batch@shop.example",
    "private_key_id": "planted",
    "private_key": pem,
    "gcs_base_url": sys.argv[1],
}
print(json.dumps(account))
