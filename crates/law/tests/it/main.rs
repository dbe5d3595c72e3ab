//! Behaviour of the law room.
mod load;
