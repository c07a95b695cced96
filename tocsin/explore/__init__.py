"""8. Search, facets, time series, completion over every track."""
