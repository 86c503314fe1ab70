//! Readiness and transition in one value.

/// The result of a call that consumes a state: the same state if it must wait, or what it became.
#[derive(Debug)]
#[must_use = "a step holds the connection; dropping it drops the connection"]
pub enum Step<S, T> {
    /// Nothing can be decided yet: feed more bytes, or wait for the state's deadline.
    Wait(S),
    /// The state is complete and has become this.
    Done(T),
}

impl<S, T> Step<S, T> {
    /// Applies `f` to what the state became.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<S, U> {
        match self {
            Self::Wait(state) => Step::Wait(state),
            Self::Done(next) => Step::Done(f(next)),
        }
    }
}

/// Keeps a state in a field: for owners that cannot be consumed, while the state's transitions consume it.
///
/// ```
/// use endwell_core::Held;
///
/// let mut held = Held::new(vec![1, 2]);
/// // A transition takes the state and returns what to hold from now on.
/// assert_eq!(held.step(|v| { let n = v.len(); (Some(v), n) }), Some(2));
/// assert_eq!(held.step(|v| (None, v)), Some(vec![1, 2]));
/// // After the end there is nothing to step.
/// assert_eq!(held.step(|v| { let n = v.len(); (Some(v), n) }), None);
/// ```
#[derive(Debug, Default)]
pub struct Held<S>(Option<S>);

impl<S> Held<S> {
    /// Makes a cell that holds `state`.
    pub const fn new(state: S) -> Self {
        Self(Some(state))
    }

    /// Makes a cell that holds no state.
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Runs one transition. `None` if no state was held: the transition did not run.
    ///
    /// If `transition` panics, no state is held afterwards.
    pub fn step<R>(&mut self, transition: impl FnOnce(S) -> (Option<S>, R)) -> Option<R> {
        let (next, result) = transition(self.0.take()?);
        self.0 = next;
        Some(result)
    }

    /// Borrows the state.
    pub fn as_ref(&self) -> Option<&S> {
        self.0.as_ref()
    }

    /// Borrows the state for a call that changes it without consuming it.
    pub fn as_mut(&mut self) -> Option<&mut S> {
        self.0.as_mut()
    }

    /// Takes the state out.
    pub fn take(&mut self) -> Option<S> {
        self.0.take()
    }

    /// Holds `state` from now on and returns the previous one.
    pub fn replace(&mut self, state: S) -> Option<S> {
        self.0.replace(state)
    }
}
