"""Values of an answer as text, for tables, CSV and JSON."""

import base64
import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def in_a_cell(value: Any) -> str:
    """Return a value as a person reads it in a table; nothing is rounded."""
    match value:
        case None:
            return "NULL"
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(" ")
        case list() | dict() | tuple():
            return json.dumps(for_json(value), ensure_ascii=False)
    return str(for_json(value))


def for_csv(value: Any) -> str:
    """Return a value as a field of CSV: nothing for NULL, ISO 8601 for times."""
    return "" if value is None else in_a_cell(value)


def for_json(value: Any) -> Any:
    """Return a value as JSON can say it: NaN and infinities as text, times as ISO 8601, bytes in base64."""
    match value:
        case dict():
            return {str(key): for_json(each) for key, each in value.items()}
        case list() | tuple():
            return [for_json(each) for each in value]
        case float() if not math.isfinite(value):
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return str(value)
    return str(value)
