"""Uploads: what the agent does with the orders in outboxes (docs/formats/outbox.md).

observer.py     Uploads: watches the outboxes of all runs, gives each its lanes
lane.py         Lane: one thread, one order after the other, again until it is done
orders.py       what an order asks for: blobs, files of the run, an artifact
watching.py     files that are saved when they change, or at the end
sending.py      Sender: brings files to the store: hash, prepare, PUT, finish
source.py       one file to send: what it was when it was ordered, SHA-256 and MD5s
putting.py      HTTP: one part to one address
committing.py   a manifest becomes a version
journal.py      how far an order has come, for whoever goes on with it
job.py          one blob on its way: parts and addresses
throttle.py     bandwidth
stopping.py     the end of it all, seen by every thread
progress.py     how far all of an outbox has come, for the training process
"""

from weir.agent._uploads.observer import Uploads

__all__ = ["Uploads"]
