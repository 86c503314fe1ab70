//! What a future has until it is ready.

/// The value of a future that is ready once. To poll it again is a fault of the program, which panics instead of waiting
/// for ever.
pub(crate) struct Once<T>(Option<T>);

impl<T> Once<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value. `None` once the future was ready.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// The value, in a poll.
    ///
    /// # Panics
    ///
    /// If the future was ready.
    #[track_caller]
    pub(crate) fn get(&mut self) -> &mut T {
        match &mut self.0 {
            Some(value) => value,
            None => polled_again(),
        }
    }

    /// Takes the value: the future is ready.
    ///
    /// # Panics
    ///
    /// If it was ready before.
    #[track_caller]
    pub(crate) fn take(&mut self) -> T {
        self.0.take().unwrap_or_else(|| polled_again())
    }
}

#[cold]
#[track_caller]
fn polled_again() -> ! {
    panic!("this future was polled after it was ready")
}

#[cfg(test)]
mod tests {
    use super::Once;

    #[test]
    fn it_is_there_until_it_is_taken() {
        let mut once = Once::new(7);
        assert_eq!(*once.get(), 7);
        assert_eq!(once.peek(), Some(&7));
        assert_eq!(once.take(), 7);
        assert_eq!(once.peek(), None);
    }

    #[test]
    #[should_panic(expected = "polled after it was ready")]
    fn a_poll_after_the_last_panics() {
        let mut once = Once::new(7);
        let _ = once.take();
        once.get();
    }
}
