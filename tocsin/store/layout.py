"""Tables of the event store as data, and their DDL for one node: local, or local plus `Distributed`.

`PARTITION BY (…, ignore(ingested_at))` puts `ingested_at` into each part's minimum and maximum without splitting
partitions by it: `max(ingested_at)` reads no rows, and `ingested_at > x` skips the older parts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LOCAL_SUFFIX = "_local"


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `sharding` is the expression that says which shard of a cluster a row lives on.

    `replacing` holds the arguments of ReplacingMergeTree, None means plain MergeTree. `expires` is the time
    that retention counts from, as an expression in the engine's own spelling.
    """

    name: str
    columns: Mapping[str, str]
    order_by: str
    partition_by: str
    sharding: str
    expires: str
    replacing: str | None = None
    indexes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A materialised view: what is inserted into `source` is also written to `target` as `select` says."""

    name: str
    source: str
    target: str
    select: str


ATTRIBUTE_COLUMNS = 256
"""So many attributes have columns of their own in a part; what others share is found by the attribute too. Each column
costs all rows of the part, also those that lack it: with 700 attributes a row took 106 us of processor time to insert
and as much again for each merge, with 256 columns 66 and 49. 98 % of the values are in those."""

FILE_SETTINGS: Mapping[str, int] = {
    "min_bytes_for_wide_part": 1024 * 1024 * 1024,
    "merge_max_dynamic_subcolumns_in_wide_part": ATTRIBUTE_COLUMNS,
    "merge_max_dynamic_subcolumns_in_compact_part": ATTRIBUTE_COLUMNS,
}
"""A wide part has some files for each attribute that became a column, and a merge opens all of them at once: with the
engine's own bounds (10 MB, 1,024 attributes) two parts of a few hundred thousand logs are 8,000 files, and a million
logs more than a process may open. A compact part is six files."""

PART_SETTINGS: Mapping[str, str | int] = {
    # An insert is durable when it returns: also when the power goes. Compact parts keep that to six files an insert.
    "fsync_after_insert": 1,
    "fsync_part_directory": 1,
    **FILE_SETTINGS,
    # The same lines sent again within this many inserts count once: a retry after a lost answer is harmless.
    "non_replicated_deduplication_window": 1000,
    "ttl_only_drop_parts": 1,
}


def local_name(name: str, cluster: str | None) -> str:
    """The table that holds rows on a node: beside a `Distributed` table of the plain name when there is a cluster."""
    return f"{name}{LOCAL_SUFFIX}" if cluster else name


def create_table(table: Table, cluster: str | None) -> Iterator[str]:
    """Statements that may be repeated."""
    engine = "MergeTree" if table.replacing is None else f"ReplacingMergeTree({table.replacing})"
    parts = [f"`{name}` {kind}" for name, kind in table.columns.items()]
    parts += [f"INDEX {name} {definition}" for name, definition in table.indexes.items()]
    settings = ", ".join(f"{name} = {value!r}" for name, value in {**PART_SETTINGS, **table.settings}.items())
    local = local_name(table.name, cluster)
    yield (
        f"CREATE TABLE IF NOT EXISTS {local} (\n  {(',' + chr(10) + '  ').join(parts)}\n)\nENGINE = {engine}\n"
        f"PARTITION BY {table.partition_by}\nORDER BY {table.order_by}\nSETTINGS {settings}"
    )
    if cluster:
        yield (
            f"CREATE TABLE IF NOT EXISTS {table.name} AS {local}\n"
            f"ENGINE = Distributed('{cluster}', currentDatabase(), {local}, {table.sharding})"
        )


def create_view(view: View, cluster: str | None) -> Iterator[str]:
    """The view reads the local table and writes the plain name, so that a cluster spreads its rows anew."""
    source = local_name(view.source, cluster)
    yield (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {local_name(view.name, cluster)} TO {view.target} AS\n"
        f"{view.select.format(source=source)}"
    )
