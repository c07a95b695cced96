"""Windows events in one shape, `winlog.*`, whichever of three shapes they arrive in.

1. EVTX tools: `Event.System`, `Event.EventData`, `Event.UserData` (with or without the outer `Event`); attributes
   of the XML under `#attributes`, or as members with `@`.
2. Flat records of collectors such as NXLog: `EventID`, `Channel`, `Hostname` and all data side by side.
3. Winlogbeat's `winlog.*` is the shape itself.

Pipelines cannot do this, because data have hundreds of names; what the data mean is then said by the pipeline.
"""

from typing import Any

from tocsin.event import Event, Json
from tocsin.normalise.dates import read_date
from tocsin.normalise.paths import Attributes

_CHANNELS = {"security": "Security", "system": "System", "application": "Application"}

_FLAT = {
    "EventID": "event_id",
    "Channel": "channel",
    "Hostname": "computer_name",
    "Computer": "computer_name",
    "ComputerName": "computer_name",
    "MachineName": "computer_name",
    "SourceName": "provider_name",
    "ProviderName": "provider_name",
    "Provider": "provider_name",
    "ProviderGuid": "provider_guid",
    "RecordNumber": "record_id",
    "EventRecordID": "record_id",
    "RecordID": "record_id",
    "Task": "task",
    "Category": "category",
    "Opcode": "opcode",
    "OpcodeValue": "opcode_value",
    "Keywords": "keywords",
    "Version": "version",
    "Level": "level",
    "ActivityID": "activity_id",
    "EventType": "event_type",
    "Severity": "severity",
    "SeverityValue": "severity_value",
}
"""Members of flat records that belong to the system part."""

_FLAT_USER = {"UserID": "identifier", "AccountName": "name", "Domain": "domain", "AccountType": "type"}
_COLLECTOR = frozenset(
    ("@timestamp", "@version", "host", "port", "tags", "EventReceivedTime", "SourceModuleName", "SourceModuleType")
)
"""Members that the collector adds; they stay where they are."""

_TIMES = ("TimeCreated", "@timestamp", "EventTime", "UtcTime")


def is_windows(attributes: Attributes) -> bool:
    """Whether a record is a Windows event, by its members alone."""
    if "EventID" in attributes:
        return "Channel" in attributes or "ProviderGuid" in attributes or "SourceName" in attributes
    event = attributes.get("Event")
    system = event.get("System") if type(event) is dict else attributes.get("System")
    if type(system) is dict:
        return "EventID" in system or "Channel" in system or "Provider" in system
    winlog = attributes.get("winlog")
    return type(winlog) is dict and ("event_id" in winlog or "channel" in winlog)


def unify(event: Event, now: int, has_time: bool) -> bool:
    """Bring a Windows event to `winlog.*`, with host and time; says whether the event has a time of its own now."""
    attributes = event.attributes
    outer = attributes.get("Event")
    if type(outer) is dict and type(outer.get("System")) is dict:
        del attributes["Event"]
        winlog, written = _from_xml(outer)
    elif type(attributes.get("System")) is dict:
        winlog, written = _from_xml(attributes)
        for name in ("System", "EventData", "UserData", "#attributes", "RenderingInfo"):
            attributes.pop(name, None)
    elif "EventID" in attributes:
        winlog, written = _from_flat(event)
        attributes = event.attributes
    else:
        given = attributes.get("winlog")
        if type(given) is not dict:
            return has_time
        winlog, written = dict(given), None
    attributes["winlog"] = winlog
    data = winlog.get("event_data")
    if type(data) is dict and "-" in data.values():
        # So Windows writes that there is no value; as a value it would be the most frequent user of all.
        winlog["event_data"] = {name: value for name, value in data.items() if value != "-"}
    channel = winlog.get("channel")
    if type(channel) is str:
        winlog["channel"] = _CHANNELS.get(channel.lower(), channel)
    number = winlog.get("event_id")
    if type(number) is str and number.isdecimal():
        winlog["event_id"] = int(number)
    host = winlog.get("computer_name")
    if type(host) is str and host:
        event.host = host
    if written is not None:
        ms = read_date(written, now)
        if ms is not None:
            event.timestamp = ms
            return True
    return has_time


def _from_xml(body: Attributes) -> tuple[Attributes, Json]:
    """The unified part, and the time as written."""
    system: Attributes = body["System"]
    event_id = system.get("EventID")
    winlog: Attributes = {"event_id": event_id.get("#text") if type(event_id) is dict else event_id}
    for name, target in (("Channel", "channel"), ("Computer", "computer_name"), ("EventRecordID", "record_id")):
        if (value := system.get(name)) is not None:
            winlog[target] = value
    if provider := _attribute(system.get("Provider"), "Name"):
        winlog["provider_name"] = provider
    for name, target in (
        ("Level", "level"),
        ("Task", "task"),
        ("Opcode", "opcode"),
        ("Keywords", "keywords"),
        ("Version", "version"),
    ):
        if (value := system.get(name)) is not None:
            winlog[target] = value
    if identifier := _attribute(system.get("Security"), "UserID"):
        winlog["user"] = {"identifier": identifier}
    execution = system.get("Execution")
    if (pid := _attribute(execution, "ProcessID")) is not None:
        winlog["process"] = {"pid": pid, "thread": {"id": _attribute(execution, "ThreadID")}}
    if activity := _attribute(system.get("Correlation"), "ActivityID"):
        winlog["activity_id"] = activity
    data = _event_data(body.get("EventData"))
    if data:
        winlog["event_data"] = data
    user_data = body.get("UserData")
    if type(user_data) is dict:
        for name, value in user_data.items():
            if type(value) is dict:
                winlog["user_data"] = {"xml_name": name} | {k: v for k, v in value.items() if k != "#attributes"}
                break
    rendering = body.get("RenderingInfo")
    if type(rendering) is dict and type(rendering.get("Message")) is str:
        winlog["message"] = rendering["Message"]
    return winlog, _attribute(system.get("TimeCreated"), "SystemTime")


def _attribute(node: Json, name: str) -> Any:
    """An attribute of an XML element, as the tools write it: `#attributes`, `@Name`, `Name`."""
    if type(node) is not dict:
        return node if type(node) is str else None
    attributes = node.get("#attributes")
    if type(attributes) is dict:
        return attributes.get(name)
    value = node.get(name)
    return value if value is not None else node.get("@" + name)


def _event_data(node: Json) -> Attributes:
    if type(node) is not dict:
        return {}
    if "Data" not in node:
        if "#attributes" in node:
            return {name: value for name, value in node.items() if name != "#attributes"}
        return node
    data: Attributes = {name: value for name, value in node.items() if name not in ("Data", "#attributes")}
    unnamed: list[Json] = []
    listed = node["Data"]
    for item in listed if type(listed) is list else [listed]:
        if type(item) is dict:
            name = _attribute(item, "Name")
            text = item.get("#text", item.get("content", item.get("Value")))
            if type(name) is str and name:
                data[name] = text
            elif type(text) is list:
                unnamed.extend(text)
            else:
                unnamed.append(text)
        else:
            unnamed.append(item)
    for number, value in enumerate(unnamed, 1):
        if value is not None:
            data[f"param{number}"] = value
    return data


def _from_flat(event: Event) -> tuple[Attributes, Json]:
    winlog: Attributes = {}
    data: Attributes = {}
    kept: Attributes = {}
    user: Attributes = {}
    attributes = event.attributes
    for name, value in attributes.items():
        if name in _FLAT:
            winlog.setdefault(_FLAT[name], value)
        elif name in _COLLECTOR:
            kept[name] = value
        elif name in _FLAT_USER:
            user[_FLAT_USER[name]] = value
        elif name not in ("Message", "TimeCreated", "EventTime"):
            data[name] = value
    if "UserID" not in attributes and user:
        # Without the SID these are data of the event itself (7045 has an AccountName).
        data |= {name: attributes[name] for name in _FLAT_USER if name in attributes}
        user = {}
    if "EventTypeOrignal" in data:  # so spelt by the collector, which uses the name for its own
        data["EventType"] = data.pop("EventTypeOrignal")
    pid, thread = data.pop("ExecutionProcessID", None), data.pop("ThreadID", None)
    if pid is not None:
        winlog["process"] = {"pid": pid, "thread": {"id": thread}}
    elif thread is not None:
        data["ThreadID"] = thread
    if user:
        winlog["user"] = user
    if data:
        winlog["event_data"] = data
    text = attributes.get("Message")
    if type(text) is str and not event.message:
        event.message = text
    written = next((attributes[name] for name in _TIMES if attributes.get(name) is not None), None)
    event.attributes = kept
    return winlog, written
