//! What a head is made of, in either direction and for either role.

pub(crate) mod characters;
pub(crate) mod date;
pub(crate) mod fold;
pub(crate) mod lines;
pub(crate) mod method;
pub(crate) mod reading;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod version;
