//! What judges endwell.
