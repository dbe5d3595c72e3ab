//! The packets of a stream in their order: runs of sound, and the keys pressed in them.

use super::KeyPress;
use super::assemble::Placed;
use super::clock::{Run, Sound, micros};
use super::content::{Content, Pressing};
use super::sequence::{Ordered, Unit};
use voicelog_model::StreamNumber;

/// Most key presses of one stream that are told.
const KEYS_MAX: usize = 10_000;
/// The longest a packet of sound can last that does not tell its length: a fifth of a second.
const UNTOLD_PARTS: u32 = 5;
/// What it lasts where nothing else says so: a fiftieth of a second, one packet of most telephony.
const USUAL_PARTS: u32 = 50;

/// What a stream has held so far.
#[derive(Debug)]
pub(super) struct Line<T> {
    /// The runs, with the stretch that each belongs to.
    pub(super) runs: Vec<(usize, Run)>,
    /// The next sound starts a run.
    fresh: bool,
    /// Numbers that are missing in all.
    pub(super) lost: u64,
    /// Places of the formats in which sound came, in the order of their first packets.
    pub(super) heard: Vec<usize>,
    /// Numbers missing since the last sound, for a run that starts with another clock.
    missing: u64,
    /// Sound that lasts until what follows it, with its stretch.
    waiting: Option<(usize, Ordered<T>)>,
    /// How long such sound lasted last, and by which clock.
    untold: Option<(u32, u32)>,
    pressed: Option<Pressed>,
    pub(super) keys: Vec<KeyPress>,
}

/// The key press that was heard of last.
#[derive(Debug, Clone, Copy)]
struct Pressed {
    ssrc: u32,
    /// Of this segment; a press that lasts longer than 16 bits can count has several (RFC 4733
    /// §2.5.1.3).
    timestamp: u32,
    rate: u32,
    /// Ticks of the segments before.
    before: u64,
    now: Pressing,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            fresh: true,
            lost: 0,
            heard: Vec::new(),
            missing: 0,
            waiting: None,
            untold: None,
            pressed: None,
            keys: Vec::new(),
        }
    }
}

impl<T: Copy> Line<T> {
    /// How many pieces of runs and key presses it holds.
    pub(super) fn kept(&self) -> usize {
        let pieces: usize = self.runs.iter().map(|(_, run)| 1 + run.kept()).sum();
        pieces + self.keys.len()
    }

    /// Takes the next packet in order.
    pub(super) fn take(
        &mut self,
        ordered: Ordered<T>,
        stretch: usize,
        stream: StreamNumber,
        placed: &mut impl FnMut(Placed<T>),
    ) {
        self.settle(Some(&ordered), stream, placed);
        if ordered.unit.content == Content::Untold {
            self.waiting = Some((stretch, ordered));
        } else {
            self.place(&ordered, stretch, stream, placed);
        }
    }

    /// Places what waited for the packet behind it; nothing follows any more if that is `None`.
    pub(super) fn settle(
        &mut self,
        next: Option<&Ordered<T>>,
        stream: StreamNumber,
        placed: &mut impl FnMut(Placed<T>),
    ) {
        let Some((stretch, mut ordered)) = self.waiting.take() else {
            return;
        };
        let rate = ordered.unit.rate;
        let told = next.and_then(|next| until(&ordered.unit, next));
        let ticks = told.unwrap_or_else(|| match self.untold {
            Some((ticks, of)) if of == rate => ticks,
            _ => (rate / USUAL_PARTS).max(1),
        });
        self.untold = Some((ticks, rate));
        ordered.unit.content = Content::Sound(ticks);
        self.place(&ordered, stretch, stream, placed);
    }

    fn place(
        &mut self,
        ordered: &Ordered<T>,
        stretch: usize,
        stream: StreamNumber,
        placed: &mut impl FnMut(Placed<T>),
    ) {
        let unit = &ordered.unit;
        self.lost += ordered.lost_before;
        self.missing += ordered.lost_before;
        if ordered.starts_source {
            (self.fresh, self.missing) = (true, 0);
        }
        let run = self
            .runs
            .last_mut()
            .map(|(_, run)| run)
            .filter(|_| !self.fresh);
        match (unit.content, run) {
            (Content::Sound(ticks), run) => {
                let sound = Sound {
                    timestamp: unit.timestamp,
                    ticks,
                    marker: unit.marker,
                    arrived_us: unit.arrived_us,
                };
                let missing = std::mem::take(&mut self.missing);
                match run {
                    Some(run) if run.rate() == unit.rate => {
                        run.lose(missing);
                        run.sound(&sound);
                    }
                    _ => {
                        let missing = (!self.fresh).then_some(missing);
                        let run = Run::start(unit.rate, &sound, missing);
                        self.runs.push((stretch, run));
                    }
                }
                self.fresh = false;
                if !self.heard.contains(&unit.format) {
                    self.heard.push(unit.format);
                }
                let (tag, format) = (unit.tag, unit.format);
                placed(Placed {
                    stream,
                    tag,
                    format,
                    ticks,
                });
            }
            (Content::ComfortNoise, Some(run)) if run.rate() == unit.rate => {
                run.lose(std::mem::take(&mut self.missing));
                run.silence(unit.timestamp, unit.arrived_us);
            }
            (Content::Key(pressing), _) => self.press(unit, pressing),
            (Content::ComfortNoise | Content::Untold | Content::Nothing, _) => {}
        }
    }

    /// A packet about a key. All packets of a press have its timestamp, and it is one press,
    /// however often its end is said.
    fn press(&mut self, unit: &Unit<T>, now: Pressing) {
        let latest = self
            .pressed
            .filter(|latest| (latest.ssrc, latest.rate) == (unit.ssrc, unit.rate));
        let goes_on = |latest: &Pressed| {
            !latest.now.has_ended
                && unit.timestamp.wrapping_sub(latest.timestamp) == latest.now.ticks
                && latest.now.ticks > 0
        };
        let pressed = match latest {
            Some(latest) if latest.timestamp == unit.timestamp => Pressed {
                now: Pressing {
                    ticks: latest.now.ticks.max(now.ticks),
                    has_ended: latest.now.has_ended || now.has_ended,
                },
                ..latest
            },
            Some(latest) if goes_on(&latest) => Pressed {
                timestamp: unit.timestamp,
                before: latest.before + u64::from(latest.now.ticks),
                now,
                ..latest
            },
            _ => {
                if self.keys.len() >= KEYS_MAX {
                    return;
                }
                let already = micros(u64::from(now.ticks), unit.rate);
                let start = unit.arrived_us.saturating_sub(already).max(0);
                self.keys.push(KeyPress {
                    start_us: start.unsigned_abs(),
                    length_us: 0,
                });
                Pressed {
                    ssrc: unit.ssrc,
                    timestamp: unit.timestamp,
                    rate: unit.rate,
                    before: 0,
                    now,
                }
            }
        };
        self.pressed = Some(pressed);
        if let Some(key) = self.keys.last_mut() {
            let ticks = pressed.before + u64::from(pressed.now.ticks);
            key.length_us = micros(ticks, unit.rate).unsigned_abs();
        }
    }
}

/// How long a packet lasts, by the timestamp of the one that follows it without loss.
fn until<T>(unit: &Unit<T>, next: &Ordered<T>) -> Option<u32> {
    let tells = matches!(
        next.unit.content,
        Content::Sound(_) | Content::Untold | Content::ComfortNoise
    );
    // The marker says that silence lies between the two.
    let is_next = tells
        && !next.unit.marker
        && next.lost_before == 0
        && !next.starts_source
        && next.unit.rate == unit.rate;
    let ticks = next.unit.timestamp.wrapping_sub(unit.timestamp);
    let longest = (unit.rate / UNTOLD_PARTS).max(1);
    (is_next && (1..=longest).contains(&ticks)).then_some(ticks)
}
