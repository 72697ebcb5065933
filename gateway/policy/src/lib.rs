//! Bundle to checked, proven, compiled plans.
