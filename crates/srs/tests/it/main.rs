//! Call flows.
