"""The official library of Standard Webhooks as a judge.

peer.py verify SECRET ID TIMESTAMP SIGNATURE FILE   prints "genuine", or why not
peer.py sign SECRET ID FILE                         prints time and signature, as headers
"""

import sys
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def text_of(file):
    with open(file, encoding="utf-8", newline="") as body:
        return body.read()


def verify(secret, message_id, timestamp, signature, file):
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    try:
        Webhook(secret).verify(text_of(file), headers, json_parse=False)
        print("genuine")
    except WebhookVerificationError as wrong:
        print(wrong)


def sign(secret, message_id, file):
    now = datetime.now(timezone.utc)
    signature = Webhook(secret).sign(msg_id=message_id, timestamp=now, data=text_of(file))
    print(f"webhook-timestamp: {int(now.timestamp())}\nwebhook-signature: {signature}")


{"verify": verify, "sign": sign}[sys.argv[1]](*sys.argv[2:])
