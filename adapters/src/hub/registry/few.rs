//! A list that mostly has one element, which then needs no allocation.

/// A few values, in no order.
#[derive(Debug, Default)]
pub(super) enum Few<T> {
    One(T),
    /// Boxed, so that one takes less room.
    #[expect(clippy::box_collection, reason = "most members and users have one of these that holds one")]
    Many(Box<Vec<T>>),
    #[default]
    Empty,
}

impl<T: Copy> Few<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
            Self::Empty => &[],
        }
    }

    pub(super) fn push(&mut self, value: T) {
        *self = match std::mem::take(self) {
            Self::Empty => Self::One(value),
            Self::One(first) => Self::Many(vec![first, value].into()),
            Self::Many(mut values) => {
                values.push(value);
                Self::Many(values)
            }
        };
    }

    /// Removes the first value for which `is_it`, and returns it.
    pub(super) fn remove(&mut self, is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let index = self.as_slice().iter().position(is_it)?;
        match self {
            Self::One(value) => {
                let value = *value;
                *self = Self::default();
                Some(value)
            }
            Self::Many(values) => {
                let value = values.swap_remove(index);
                if values.is_empty() {
                    *self = Self::Empty;
                }
                Some(value)
            }
            Self::Empty => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn what_is_in_it_is_what_was_pushed_and_not_removed() {
        let mut few = Few::default();
        assert!(few.as_slice().is_empty());
        for value in 0..3 {
            few.push(value);
        }
        assert_eq!(few.as_slice(), [0, 1, 2]);
        assert_eq!(few.remove(|value| *value == 0), Some(0));
        assert_eq!(few.remove(|value| *value == 0), None);
        assert_eq!(few.as_slice(), [2, 1]);
        assert_eq!(
            (few.remove(|_| true), few.remove(|_| true), few.remove(|_| true)),
            (Some(2), Some(1), None)
        );
        few.push(7);
        assert_eq!(few.as_slice(), [7]);
        assert_eq!((few.remove(|_| true), few.as_slice().len()), (Some(7), 0));
    }

    #[test]
    fn one_needs_little_room() {
        assert_eq!(size_of::<Few<[u32; 2]>>(), 16);
    }
}
