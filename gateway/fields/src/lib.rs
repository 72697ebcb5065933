//! Plan times message bytes: what may leave.
