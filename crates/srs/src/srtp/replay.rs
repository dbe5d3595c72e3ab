//! Which packets have come: a packet that is sent again by somebody who listened is not taken
//! twice (RFC 3711 §3.3.2).

/// How far behind the newest a packet may be.
const WINDOW: u64 = 128;

/// The newest index and which of those before it have come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    newest: u64,
    /// Bit n: `newest - n` has come.
    seen: u128,
}

impl Window {
    /// The newest index that has come, or that was known before the key changed.
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// Forgets which have come: under another key none of them can come again.
    pub(super) const fn forget(&mut self) {
        self.seen = 0;
    }

    /// Whether the index has come, or is too old to know.
    pub(super) const fn has_seen(&self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            _ if self.seen == 0 => false,
            None => false,
            Some(behind) => behind >= WINDOW || self.seen & (1 << behind) != 0,
        }
    }

    /// Notes an index that was found authentic.
    pub(super) const fn note(&mut self, index: u64) {
        if self.seen == 0 || index > self.newest {
            let ahead = index.saturating_sub(self.newest);
            self.seen = if self.seen == 0 || ahead >= WINDOW {
                1
            } else {
                (self.seen << ahead) | 1
            };
            self.newest = index;
        } else {
            let behind = self.newest - index;
            if behind < WINDOW {
                self.seen |= 1 << behind;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_taken_once_in_any_order_within_the_window() {
        let mut window = Window::default();
        for index in [1_000, 1_002, 1_001, 1_500, 1_400, 1_373] {
            assert!(!window.has_seen(index), "{index}");
            window.note(index);
            assert!(window.has_seen(index), "{index}");
        }
        assert!(window.has_seen(1_372), "too old to know");
        assert!(!window.has_seen(1_499));
        assert_eq!(window.newest(), 1_500);
    }

    #[test]
    fn index_0_can_come_and_only_once() {
        let mut window = Window::default();
        assert!(!window.has_seen(0));
        window.note(0);
        assert!(window.has_seen(0) && !window.has_seen(1));
    }
}
