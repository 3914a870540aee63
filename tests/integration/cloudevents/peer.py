"""The official SDK of CloudEvents as a judge.

peer.py read structured FILE          prints what it found, as JSON
peer.py read binary FILE HEADERS      HEADERS is a JSON object
peer.py write structured|binary       prints an event of its own: {"headers": {…}, "body": "…"}
"""

import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_binary_event, from_structured_event
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent


def plain(event):
    attributes = {name: str(value) for name, value in event.get_attributes().items()}
    attributes["time"] = event.get_time().isoformat()
    return {"attributes": attributes, "data": event.get_data()}


def read(form, file, headers="{}"):
    with open(file, "rb") as body:
        message = HTTPMessage(headers=json.loads(headers), body=body.read())
    event = from_structured_event(message) if form == "structured" else from_binary_event(message)
    print(json.dumps(plain(event)))


def write(form):
    attributes = {"specversion": "1.0", "id": "e-1", "source": "urn:partner", "type": "partner.parcel.sent",
                  "subject": "p-1 \u20ac \"%\"", "partitionkey": "p-1", "correlationid": "c-9", "colour": "blue",
                  "datacontenttype": "application/json"}
    event = CloudEvent(attributes, {"weight": 2.5, "note": "\u20ac"})
    made = to_structured_event(event) if form == "structured" else to_binary_event(event)
    print(json.dumps({"headers": made.headers, "body": made.body.decode()}))


{"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
