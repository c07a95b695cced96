"""Two million logs and a million signals, made by the engine itself: deterministic, in a minute or two.

The rows look as `store/rows.py` writes them: a web shop's access, sshd, cloud and Windows logs over seven days, and
the signals of a year and a quarter.
"""

from tocsin.query import Sql
from tocsin.store.events import EventStore

LOGS = 2_000_000
SIGNALS = 1_000_000
END = 1_795_000_000_000
"""Unix milliseconds: the time of the newest log and signal."""
LOG_SPAN = 7 * 86_400_000
SIGNAL_SPAN = 90 * 86_400_000
BATCH = 250_000

LOGS_SQL = """
INSERT INTO logs (id, timestamp, ingested_at, host, service, source, status, message, trace_id, tags,
                  attributes, in_lists, text_words, value_words, document, matched)
WITH
  {first:UInt64} + number AS i,
  sipHash64(i, 1) AS a, sipHash64(i, 2) AS b, sipHash64(i, 3) AS c,
  {end:Int64} - intDiv(({rows:UInt64} - i) * {span:Int64}, {rows:UInt64}) AS ms,
  a % 10 < 5 ? 0 : (a % 10 < 7 ? 1 : (a % 10 < 9 ? 2 : 3)) AS kind,
  ['nginx', 'sshd', 'cloudtrail', 'windows'][kind + 1] AS source,
  ['shop', 'ssh', 'aws', 'eventlog'][kind + 1] || (kind = 0 ? '-' || toString(b % 8) : '') AS service,
  ['web-', 'bastion-', 'cloud-', 'pc-'][kind + 1] || toString(b % [40, 4, 3, 400][kind + 1]) AS host,
  toString(toUInt32(exp((b % 10000) / 10000 * 9.2))) AS person,
  '203.0.' || toString(c % 64) || '.' || toString(toUInt32(exp((c % 9973) / 9973 * 5.5))) AS ip,
  ['US', 'DE', 'FR', 'GB', 'BR', 'IN', 'JP', 'NL', 'RU', 'CN'][
    1 + toUInt32(exp((c % 997) / 997 * 2.3)) % 10] AS country,
  [200, 200, 200, 200, 304, 404, 403, 500][1 + b % 8] AS code,
  [['GET', 'POST', 'PUT', 'GET'], ['accepted', 'failed', 'failed', 'closed'],
   ['ConsoleLogin', 'AssumeRole', 'DescribeInstances', 'GetObject'],
   ['4624', '4625', '4688', '4672']][kind + 1][1 + c % 4] AS name,
  c % 10 < 8 ? 'success' : 'failure' AS outcome,
  multiIf(code >= 500, 'error', outcome = 'failure', 'warn', 'info') AS status,
  name || ' for user' || person || ' from ' || ip || ' with ' || outcome
    || ' after ' || toString(b % 1000) || ' ms' AS message,
  map('evt.name', '"' || name || '"', 'evt.outcome', '"' || outcome || '"', 'usr.id', '"user' || person || '"',
      'network.client.ip', '"' || ip || '"', 'network.client.geoip.country.iso_code', '"' || country || '"',
      'duration', toString(b % 1000000), 'http.status_code', toString(code), 'http.method', '"' || name || '"',
      'http.url_details.path', '"/item/' || toString(c % 500) || '"', 'http.useragent_details.browser.family',
      '"' || ['Chrome', 'Firefox', 'Safari', 'curl'][1 + b % 4] || '"', 'network.bytes_written', toString(c % 100000),
      'session.id', '"' || hex(sipHash64(i, 4)) || '"') AS pairs,
  '{' || arrayStringConcat(arrayMap((k, v) -> '"' || k || '":' || v, mapKeys(pairs), mapValues(pairs)), ',')
    || '}' AS json
SELECT
  'AwAAA' || lower(leftPad(hex(ms), 12, '0')) || lower(hex(a)) || lower(hex(toUInt32(b))), fromUnixTimestamp64Milli(ms),
  fromUnixTimestamp64Milli(ms + 1500), host, service, source, status, message, '',
  ['env:' || ['prod', 'prod', 'prod', 'staging'][1 + b % 4], 'team:' || ['web', 'infra', 'cloud', 'it'][kind + 1]],
  json, '{"s.network.ip.list":["' || ip || '","10.0.0.1"]}',
  ' ' || replaceRegexpAll(lower(message), '[^a-z0-9]+', ' ') || ' \\n\\t',
  arrayStringConcat(
    arrayMap(v -> ' ' || trim(replaceRegexpAll(lower(v), '[^a-z0-9_]+', ' ')) || ' \\n', mapValues(pairs))),
  json, []
FROM numbers({count:UInt64})
"""

_SIGNALS = """
INSERT INTO signals (id, timestamp, ingested_at, host, service, source, status, message, tags, attributes, in_lists,
                     text_words, value_words, document, row_version, is_deleted, rule_id, title, detail)
WITH
  {first:UInt64} + number AS i,
  sipHash64(i, 11) AS a, sipHash64(i, 12) AS b, sipHash64(i, 13) AS c,
  {end:Int64} - intDiv(({rows:UInt64} - i) * {span:Int64}, {rows:UInt64}) AS ms,
  toUInt32(exp((a % 9999) / 9999 * 4.6)) AS rule,
  ['info', 'low', 'medium', 'high', 'critical'][
    multiIf(b % 100 < 50, 1, b % 100 < 75, 2, b % 100 < 90, 3, b % 100 < 98, 4, 5)] AS status,
  ['nginx', 'sshd', 'cloudtrail', 'windows'][1 + rule % 4] AS source,
  'web-' || toString(b % 40) AS host,
  toString(toUInt32(exp((b % 10000) / 10000 * 9.2))) AS person,
  '203.0.' || toString(c % 64) || '.' || toString(toUInt32(exp((c % 9973) / 9973 * 5.5))) AS ip,
  'Detection rule number ' || toString(rule) AS title,
  'user' || person || ' from ' || ip AS message,
  ['TA0001-initial-access', 'TA0006-credential-access', 'TA0040-impact', 'TA0003-persistence'][1 + rule % 4] AS tactic,
  map('title', '"' || title || '"', 'workflow.rule.id', '"rule-' || toString(rule) || '"',
      'workflow.rule.name', '"' || title || '"', 'workflow.rule.type', '"Log Detection"',
      'workflow.triage.state', '"' || ['open', 'open', 'under_review', 'archived'][1 + c % 4] || '"',
      'workflow.triage.assignee.handle', '"' || ['', 'ana@example.com', 'ben@example.com', ''][1 + b % 4] || '"',
      'workflow.triage.assignee.name', '"' || ['Unassigned', 'Ana', 'Ben', 'Unassigned'][1 + b % 4] || '"',
      'usr.id', '"user' || person || '"', 'network.client.ip', '"' || ip || '"',
      'network.client.geoip.country.iso_code', '"' || ['US', 'DE', 'FR', 'GB', 'BR', 'IN', 'JP'][1 + c % 7] || '"',
      'workflow.events_matched', toString(1 + c % 500)) AS pairs,
  '{' || arrayStringConcat(arrayMap((k, v) -> '"' || k || '":' || v, mapKeys(pairs), mapValues(pairs)), ',')
    || '}' AS json
SELECT
  'AwAAA' || lower(leftPad(hex(ms), 12, '0')) || lower(hex(a)) || lower(hex(toUInt32(b))), fromUnixTimestamp64Milli(ms),
  fromUnixTimestamp64Milli(ms + 1500), [host], ['shop'], [source], status, message,
  ['source:' || source, 'tactic:' || tactic, 'env:prod'], json,
  '{"s.network.ip.list":["' || ip || '","10.0.0.1"]}',
  ' ' || replaceRegexpAll(lower(message), '[^a-z0-9]+', ' ') || ' \\n\\t ' || lower(title) || ' \\n',
  arrayStringConcat(
    arrayMap(v -> ' ' || trim(replaceRegexpAll(lower(v), '[^a-z0-9_]+', ' ')) || ' \\n', mapValues(pairs))),
  json, {version:UInt64}, 0, 'rule-' || toString(rule), title, '{"samples":[]}'
FROM numbers({count:UInt64})
"""


def load(store: EventStore, logs: int = LOGS, signals: int = SIGNALS, logs_sql: str = LOGS_SQL) -> None:
    """Fill an empty store. One signal in fifty has a second version, as if it had been triaged."""
    for first in range(0, logs, BATCH):
        values = {"first": first, "count": min(BATCH, logs - first), "rows": logs, "span": LOG_SPAN, "end": END}
        store.command(Sql(logs_sql, values))
    for first in range(0, signals, BATCH):
        values = {
            "first": first,
            "count": min(BATCH, signals - first),
            "rows": signals,
            "span": SIGNAL_SPAN,
            "end": END,
        }
        store.command(Sql(_SIGNALS, {**values, "version": 1}))
    store.command(Sql(_SIGNALS, {**values, "first": signals - signals // 50, "count": signals // 50, "version": 2}))
