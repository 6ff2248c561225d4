"""Post one signed message to a gateway and print its answer: `make webhook-test`.

Signs with SABATINA_WHATSAPP_APP_SECRET, or with the simulator's secret.
"""

import argparse
import hashlib
import hmac
import json
import os
import sys
import time
import uuid
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from devstack.stack import APP_SECRET


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--sender", default="5511900000000")
    parser.add_argument("--text", default="menu")
    arguments = parser.parse_args()
    url = f"http://127.0.0.1:{arguments.port}/webhook/whatsapp"
    body = _body(arguments.sender, arguments.text)
    try:
        with urlopen(_signed(url, body), timeout=10) as answer:  # noqa: S310  # loopback
            print(f"{url} answered {answer.status}: the message is stored.")
            return 0
    except HTTPError as error:
        print(f"{url} answered {error.code}. 401 means another app secret; 503 that NATS is away.")
    except URLError as error:
        print(f"{url} did not answer ({error.reason}). Is `make run` running?")
    return 1


def _signed(url: str, body: bytes) -> Request:
    secret = os.environ.get("SABATINA_WHATSAPP_APP_SECRET", APP_SECRET).split(",")[0]
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Request(url, body, {"X-Hub-Signature-256": f"sha256={digest}"})  # noqa: S310


def _body(sender: str, text: str) -> bytes:
    message = {
        "from": sender,
        "id": f"wamid.test.{uuid.uuid4().hex}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "100000000000001"},
        "contacts": [{"wa_id": sender, "profile": {"name": "Test"}}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


if __name__ == "__main__":
    sys.exit(main())
