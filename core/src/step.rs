//! Readiness and transition in one value.

/// What a call that consumes a state gives back: the state itself, which waits for more, or what it became.
#[derive(Debug)]
#[must_use = "a step holds the connection; dropping it drops the connection"]
pub enum Step<S, T> {
    /// Nothing can be decided yet: feed more bytes, or wait for the state's deadline.
    Wait(S),
    /// The state is done and has become this.
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

/// A state in a field: holds a state whose transitions consume it, for owners that cannot be consumed.
///
/// ```
/// use endwell_core::Held;
///
/// let mut held = Held::new(vec![1, 2]);
/// // A transition takes the state and says what is held from now on.
/// assert_eq!(held.step(|v| { let n = v.len(); (Some(v), n) }), Some(2));
/// assert_eq!(held.step(|v| (None, v)), Some(vec![1, 2]));
/// // After the end there is nothing to step.
/// assert_eq!(held.step(|v| { let n = v.len(); (Some(v), n) }), None);
/// ```
#[derive(Debug, Default)]
pub struct Held<S>(Option<S>);

impl<S> Held<S> {
    /// Holds `state`.
    pub const fn new(state: S) -> Self {
        Self(Some(state))
    }

    /// Holds nothing.
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Runs one transition. `None`: nothing was held, the transition did not run.
    ///
    /// Should `transition` panic, nothing is held afterwards.
    pub fn step<R>(&mut self, transition: impl FnOnce(S) -> (Option<S>, R)) -> Option<R> {
        let (next, result) = transition(self.0.take()?);
        self.0 = next;
        Some(result)
    }

    /// The state, to look at.
    pub fn as_ref(&self) -> Option<&S> {
        self.0.as_ref()
    }

    /// The state, for what changes it without consuming it.
    pub fn as_mut(&mut self) -> Option<&mut S> {
        self.0.as_mut()
    }

    /// Takes the state out.
    pub fn take(&mut self) -> Option<S> {
        self.0.take()
    }

    /// Holds `state` from now on and gives back what was held.
    pub fn replace(&mut self, state: S) -> Option<S> {
        self.0.replace(state)
    }
}
