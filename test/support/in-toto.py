"""What in-toto's own library says of a DSSE envelope: envelope.json key.pem; prints the payload where the signature holds."""
import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

with open(sys.argv[1], "rb") as file:
    envelope = Envelope.from_dict(json.load(file))
with open(sys.argv[2], "rb") as file:
    public = load_pem_public_key(file.read())
# An id in an envelope is a hint: whoever checks names the key that is to have signed.
(keyid,) = envelope.signatures
key = SSlibKey.from_crypto(public, keyid)
if envelope.payload_type != "application/vnd.in-toto+json":
    sys.exit("the payload is no in-toto statement")
envelope.verify([key], 1)
sys.stdout.buffer.write(envelope.payload)
