"""What the intake counts, in Prometheus' terms."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class IntakeMetrics:
    """Counters since the start of the process. Always accepted = stored + rejected.

    A duplicate is an event that the store had already, sent again: it counts as nothing but a duplicate.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, doc: str, *labels: str) -> Counter:
            return Counter(f"tocsin_intake_{name}", doc, labels, registry=registry)

        self.accepted = counter("accepted", "Events that were taken over: stored or kept as rejected.")
        self.stored = counter("stored", "Events that are in the store.")
        self.rejected = counter("rejected", "Events kept as rejected, by reason.", "reason")
        self.duplicates = counter("duplicates", "Events that were in the store already, of repeated requests.")
        self.matches = counter("matches", "Matches of detection rules, stored with their events.")
        self.failed_processors = counter("failed_processors", "Processors that failed, by pipeline.", "pipeline")
        self.requests = counter("requests", "Requests by outcome: acknowledged, refused, throttled, failed.", "outcome")
        self.throttled = counter("throttled", "Requests answered 429.")
        self.bytes = counter("bytes", "Bytes of bodies of acknowledged requests, as sent.")
        self.commit_failures = counter("commit_failures", "Commits that the store did not take.")
        self.worker_restarts = counter("worker_restarts", "Worker processes replaced because they died or hung.")
        self.buffered = Gauge("tocsin_intake_buffered_bytes", "Bytes held before their commit.", registry=registry)
        self.commit_seconds = Histogram(
            "tocsin_intake_commit_seconds",
            "Time of one group commit.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
