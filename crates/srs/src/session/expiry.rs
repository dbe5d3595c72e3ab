//! Session timers (RFC 4028): who refreshes the session, how often, and when it counts as dead.
//!
//! We never ask for a timer of our own accord, and prefer the client as the one who refreshes: it
//! knows whether its conversation still goes on.

use crate::context::Response;
use crate::limits::SESSION_SECONDS_MIN;
use crate::sip::grammar::{params, split};
use crate::sip::write::Writer;
use crate::sip::{HeaderName, Message};
use voicelog_model::Timestamp;

/// Who refreshes. `uac` and `uas` of the header mean whoever sent the request at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refresher {
    Client,
    Ourselves,
}

/// What a request of the client says about session timers.
#[derive(Clone, Copy)]
pub(crate) struct TimerRequest {
    interval: Option<(u32, Option<Refresher>)>,
    is_supported: bool,
}

impl TimerRequest {
    pub(crate) fn read(message: &Message<'_>) -> Self {
        let headers = &message.headers;
        Self {
            interval: session_expires(message, Refresher::Client),
            is_supported: headers.has_token(HeaderName::Supported, "timer")
                || headers.has_token(HeaderName::Require, "timer"),
        }
    }

    /// The refusal of an interval that is too short. Whoever does not know timers cannot mend it
    /// (a proxy put the header there), and is not refused (RFC 4028 §9).
    pub(crate) fn refusal(&self) -> Option<Response> {
        let (seconds, _) = self.interval.filter(|_| self.is_supported)?;
        let response = Response::new(422).header("Min-SE", SESSION_SECONDS_MIN.to_string());
        (seconds < SESSION_SECONDS_MIN).then_some(response)
    }
}

/// `Session-Expires`: seconds and refresher. A value that is no number counts as absent.
fn session_expires(message: &Message<'_>, uac: Refresher) -> Option<(u32, Option<Refresher>)> {
    let text = message.headers.text(HeaderName::SessionExpires)?;
    let uas = match uac {
        Refresher::Client => Refresher::Ourselves,
        Refresher::Ourselves => Refresher::Client,
    };
    let seconds = split(&text, ';').next()?.trim().parse().ok()?;
    let refresher = params(&text)
        .find(|(name, _)| name.eq_ignore_ascii_case("refresher"))
        .and_then(|(_, value)| match value? {
            value if value.eq_ignore_ascii_case("uac") => Some(uac),
            value if value.eq_ignore_ascii_case("uas") => Some(uas),
            _ => None,
        });
    Some((seconds, refresher))
}

/// The timer of one session.
#[derive(Default)]
pub(super) struct Expiry {
    agreed: Option<Agreed>,
    /// The client has said that it knows timers.
    is_supported: bool,
}

struct Agreed {
    seconds: u32,
    refresher: Refresher,
    ends_at: Timestamp,
    /// When to refresh, if that is ours to do and is not due yet.
    refresh_at: Option<Timestamp>,
    /// A refresh of ours should go out as soon as it can.
    is_due: bool,
    /// The least that the client took, from a 422.
    seconds_min: u32,
}

impl Agreed {
    fn new(now: Timestamp, seconds: u32, refresher: Refresher) -> Self {
        let seconds = seconds.max(SESSION_SECONDS_MIN);
        let whole = i64::from(seconds) * 1_000_000;
        // RFC 4028 §10: a little before the end, a third of the interval but no more than 32 s.
        let early = (whole / 3).min(32_000_000);
        let is_ours = refresher == Refresher::Ourselves;
        Self {
            seconds,
            refresher,
            ends_at: now.plus_micros(whole - early),
            refresh_at: is_ours.then(|| now.plus_micros(whole / 2)),
            is_due: false,
            seconds_min: 0,
        }
    }
}

impl Expiry {
    /// Whether the session ends by itself when nobody refreshes it.
    pub(super) const fn is_running(&self) -> bool {
        self.agreed.is_some()
    }

    /// Agrees with what a request of the client asks for, which refreshes the session too, and
    /// says so in our 200 (RFC 4028 §9). A request that asks nothing leaves the terms as they are.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        asked: TimerRequest,
        response: Response,
    ) -> Response {
        self.is_supported |= asked.is_supported;
        let terms = match asked.interval {
            Some((seconds, refresher)) if self.is_supported => {
                Some((seconds, refresher.unwrap_or(Refresher::Client)))
            }
            Some((seconds, _)) => Some((seconds, Refresher::Ourselves)),
            None => self.agreed.as_ref().map(|a| (a.seconds, a.refresher)),
        };
        let Some((seconds, refresher)) = terms else {
            return response;
        };
        let agreed = self.agreed.insert(Agreed::new(now, seconds, refresher));
        let word = match refresher {
            Refresher::Client => "uac",
            Refresher::Ourselves => "uas",
        };
        let terms = format!("{};refresher={word}", agreed.seconds);
        let response = response.header("Session-Expires", terms);
        if asked.is_supported {
            response.header("Require", "timer")
        } else {
            response
        }
    }

    /// Puts the terms into a request of ours, which refreshes the session if it is accepted.
    pub(super) fn ask(&mut self, now: Timestamp, writer: &mut Writer) {
        let Some(agreed) = &mut self.agreed else {
            return;
        };
        let word = match agreed.refresher {
            Refresher::Client => "uas",
            Refresher::Ourselves => "uac",
        };
        let seconds = agreed.seconds.max(agreed.seconds_min);
        writer.text("Session-Expires", &format!("{seconds};refresher={word}"));
        if agreed.seconds_min > 0 {
            writer.text("Min-SE", &agreed.seconds_min.to_string());
        }
        agreed.is_due = false;
        // If this one fails there is time for another.
        let rest = agreed.ends_at.micros_since(now).max(0);
        let is_ours = agreed.refresher == Refresher::Ourselves;
        agreed.refresh_at = is_ours.then(|| now.plus_micros((rest / 2).max(1_000_000)));
    }

    /// The client accepted a request of ours: its answer says what holds from now on, and an
    /// answer without terms ends the timer (RFC 4028 §7.2).
    pub(super) fn answered(&mut self, now: Timestamp, message: &Message<'_>) {
        let before = self.agreed.as_ref().map(|agreed| agreed.refresher);
        self.agreed = session_expires(message, Refresher::Ourselves).map(|(seconds, refresher)| {
            let refresher = refresher.or(before).unwrap_or(Refresher::Ourselves);
            Agreed::new(now, seconds, refresher)
        });
    }

    /// The client found the interval too short (422). Says whether to ask again with a longer one.
    pub(super) fn too_short(&mut self, message: &Message<'_>) -> bool {
        let wanted = message.headers.text(HeaderName::MinSe);
        let wanted = wanted.and_then(|text| split(&text, ';').next()?.trim().parse::<u32>().ok());
        let (Some(wanted), Some(agreed)) = (wanted, &mut self.agreed) else {
            return false;
        };
        let is_longer = wanted > agreed.seconds.max(agreed.seconds_min);
        if is_longer {
            agreed.seconds_min = wanted;
            agreed.is_due = true;
        }
        is_longer
    }

    /// Whether a refresh of ours should go out.
    pub(super) fn is_due(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.is_due)
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let agreed = self.agreed.as_ref()?;
        let refresh_at = agreed.refresh_at.unwrap_or(agreed.ends_at);
        Some(agreed.ends_at.min(refresh_at))
    }

    /// Some deadline has come. Says whether the session is dead.
    pub(super) fn timeout(&mut self, now: Timestamp) -> bool {
        let Some(agreed) = &mut self.agreed else {
            return false;
        };
        agreed.is_due |= agreed.refresh_at.take_if(|at| *at <= now).is_some();
        agreed.ends_at <= now
    }
}
