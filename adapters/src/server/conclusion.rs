//! The values that a handler may return; only the library makes them.

use crate::Ended;

/// The proof that an exchange was answered. A handler returns it, and only responding makes it.
#[derive(Debug)]
#[must_use = "a handler returns it"]
pub struct Answered(());

impl Answered {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// The types that a handler may return: [`Answered`], [`Ended`], or one of the two as a `Result`, so that `?` works.
///
/// It cannot be implemented elsewhere. A handler that forgets to respond has no such value:
///
/// ```compile_fail,E0277
/// # async fn f(listener: tokio::net::TcpListener) {
/// endwell::serve(listener, endwell::ServerConfig::default(), async |exchange: endwell::Exchange| {}).await;
/// # }
/// ```
pub trait Conclusion: sealed::Sealed {}

impl Conclusion for Answered {}
impl Conclusion for Ended {}
impl Conclusion for Result<Answered, Ended> {}

mod sealed {
    use super::{Answered, Ended};

    #[expect(unnameable_types, reason = "that is what seals the trait")]
    pub trait Sealed {}

    #[cfg(feature = "blocking")]
    impl Sealed for crate::blocking::Handled {}
    impl Sealed for Answered {}
    impl Sealed for Ended {}
    impl Sealed for Result<Answered, Ended> {}
}
