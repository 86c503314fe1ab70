//! Heads of responses from and to those of the `http` crate.

use ::http::header::{self, HeaderMap, HeaderValue};

use crate::http::{FieldSection, Interim, InterimHead, Response, ResponseHead, StatusCode};

use super::InvalidHead;

impl TryFrom<ResponseHead> for ::http::Response<()> {
    type Error = ::http::Error;

    /// The fields share the memory of the head, which also goes into the extensions, and has the reason phrase.
    ///
    /// Fails for a status below 100, which [`Reading::Ordinary`](crate::http::Reading::Ordinary) accepts.
    fn try_from(head: ResponseHead) -> Result<Self, ::http::Error> {
        let mut response = Self::new(());
        *response.status_mut() = head.status().try_into()?;
        *response.version_mut() = head.version().into();
        *response.headers_mut() = head.fields().try_into()?;
        response.extensions_mut().insert(head);
        Ok(response)
    }
}

impl TryFrom<InterimHead> for ::http::Response<()> {
    type Error = ::http::Error;

    /// The fields share the memory of the head, which also goes into the extensions.
    fn try_from(head: InterimHead) -> Result<Self, ::http::Error> {
        let mut response = Self::new(());
        *response.status_mut() = ::http::StatusCode::from_u16(head.status())?;
        *response.version_mut() = head.version().into();
        *response.headers_mut() = head.fields().try_into()?;
        response.extensions_mut().insert(head);
        Ok(response)
    }
}

impl TryFrom<&Response> for ::http::Response<()> {
    type Error = ::http::Error;

    fn try_from(head: &Response) -> Result<Self, ::http::Error> {
        let mut response = Self::new(());
        *response.status_mut() = head.status().try_into()?;
        *response.headers_mut() = HeaderMap::try_from(head.fields())?;
        if let Some(protocol) = head.offers() {
            let headers = response.headers_mut();
            headers.try_insert(header::CONNECTION, HeaderValue::from_static("upgrade"))?;
            headers.try_insert(header::UPGRADE, HeaderValue::from_static(protocol))?;
        }
        Ok(response)
    }
}

impl TryFrom<&Interim> for ::http::Response<()> {
    type Error = ::http::Error;

    fn try_from(head: &Interim) -> Result<Self, ::http::Error> {
        let mut response = Self::new(());
        *response.status_mut() = ::http::StatusCode::from_u16(head.status())?;
        *response.headers_mut() = HeaderMap::try_from(head.fields())?;
        Ok(response)
    }
}

impl<T> TryFrom<&::http::Response<T>> for Response {
    type Error = InvalidHead;

    /// The body is not looked at, and neither is the version, which is one of a connection (RFC 9110 2.5).
    fn try_from(response: &::http::Response<T>) -> Result<Self, InvalidHead> {
        let mut head = Self::new(StatusCode::try_from(response.status())?);
        *head.fields_mut() = FieldSection::try_from(response.headers())?;
        Ok(head)
    }
}

impl<T> TryFrom<&::http::Response<T>> for Interim {
    type Error = InvalidHead;

    /// Fails for a status outside 102 to 199.
    fn try_from(response: &::http::Response<T>) -> Result<Self, InvalidHead> {
        let mut head = Self::new(response.status().as_u16())?;
        *head.fields_mut() = FieldSection::try_from(response.headers())?;
        Ok(head)
    }
}
