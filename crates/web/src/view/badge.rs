//! A word with a shape and a colour. The word alone tells it all; the shape helps the eye, the
//! colour comes last.

/// Shape in front of the word, drawn by `templates/shape.html`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Check,
    Dashes,
    Triangle,
    Barred,
    Person,
    Clock,
    Question,
    Cross,
}

/// A word, its shape, and the class of its colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) shape: Shape,
    pub(crate) tone: &'static str,
    pub(crate) text: &'static str,
}

impl Badge {
    pub(crate) const fn new(shape: Shape, tone: &'static str, text: &'static str) -> Self {
        Self { shape, tone, text }
    }
}
