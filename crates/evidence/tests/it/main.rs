//! The formats as a stranger meets them: bytes in, answers out.
