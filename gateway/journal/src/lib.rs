//! The durable log on disk: segments, sealed payloads, key ring, views.
