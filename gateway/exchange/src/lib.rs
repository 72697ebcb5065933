//! TLS, gRPC services, and the line that every message walks.
