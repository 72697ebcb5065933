//! The contracts as generated code. Generated only: nothing is written here by hand but this list.
