//! Fields from and to a `HeaderMap`.

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

use super::InvalidHead;
use crate::http::{Field, FieldSection, Fields, InvalidField};

impl TryFrom<&Fields> for HeaderMap {
    type Error = ::http::Error;

    /// Shares the memory of the section. Values that carry credentials are marked as sensitive.
    fn try_from(fields: &Fields) -> Result<Self, ::http::Error> {
        let mut map = Self::with_capacity(fields.len().min(USUAL));
        for (name, value) in fields.iter_bytes() {
            append(&mut map, name, fields.share(value))?;
        }
        Ok(map)
    }
}

impl TryFrom<&FieldSection> for HeaderMap {
    type Error = ::http::Error;

    /// Values that carry credentials are marked as sensitive.
    fn try_from(fields: &FieldSection) -> Result<Self, ::http::Error> {
        let mut map = Self::new();
        for (name, value) in fields.iter() {
            append(&mut map, name.as_bytes(), Bytes::copy_from_slice(value))?;
        }
        Ok(map)
    }
}

impl TryFrom<&HeaderMap> for FieldSection {
    type Error = InvalidHead;

    /// Fails for a field that [`Field::new`] refuses.
    fn try_from(map: &HeaderMap) -> Result<Self, InvalidHead> {
        let mut section = Self::new();
        for (name, value) in map {
            section.push(field(name, value)?);
        }
        Ok(section)
    }
}

impl FieldSection {
    /// The fields of `map`, without those that only the state machines write, such as Content-Length, Connection and Date:
    /// see [`Field::new`].
    pub fn without_reserved(map: &HeaderMap) -> Self {
        let lens = map.iter().map(|(name, value)| Field::own(name.as_str(), value.as_bytes()).line_len());
        let mut section = Self::with_capacity(lens.sum());
        let fields = map.iter().filter_map(|(name, value)| Field::checked(name.as_str(), value.as_bytes()));
        fields.for_each(|field| section.push(field));
        section
    }
}

impl<'a> TryFrom<(&'a HeaderName, &'a HeaderValue)> for Field<'a> {
    type Error = InvalidField;

    /// Fails for a field that only the state machines write.
    fn try_from((name, value): (&'a HeaderName, &'a HeaderValue)) -> Result<Self, InvalidField> {
        Self::new(name.as_str(), value.as_bytes())
    }
}

/// Checks a field that is to be sent.
pub(super) fn field<'a>(name: &'a HeaderName, value: &'a HeaderValue) -> Result<Field<'a>, InvalidHead> {
    Field::try_from((name, value)).map_err(|invalid| InvalidHead::Field(name.clone(), invalid))
}

/// Adds a line at the end. A map has room for 24,576 names.
fn append(map: &mut HeaderMap, name: &[u8], value: Bytes) -> Result<(), ::http::Error> {
    let name = HeaderName::from_bytes(name)?;
    let mut value = HeaderValue::from_maybe_shared(value)?;
    value.set_sensitive(CREDENTIALS.contains(&name));
    map.try_append(name, value)?;
    Ok(())
}

const CREDENTIALS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::COOKIE, header::SET_COOKIE, header::PROXY_AUTHORIZATION];

/// More fields than most heads have. A map grows beyond it.
const USUAL: usize = 32;
