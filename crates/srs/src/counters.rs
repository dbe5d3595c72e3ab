//! How often what happened: the numbers an administrator looks at when calls do not come in.

macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Something that is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counted {
            $($(#[$doc])* $name,)*
        }

        impl Counted {
            /// Everything that is counted, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its word in snake case, fit for the name of a metric.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

counted! {
    /// Requests that were read.
    Requests = "requests",
    /// Responses that were read.
    Responses = "responses",
    /// Requests that came again and were answered as before.
    Retransmitted = "retransmitted",
    /// Recording sessions offered to the caller.
    Offered = "offered",
    /// Recording sessions answered with 200.
    Answered = "answered",
    /// Sessions that ended, for whatever reason.
    Ended = "ended",
    /// Ignored: bytes that are no SIP message.
    NotSip = "ignored_not_sip",
    /// Ignored: a keepalive of line ends over UDP.
    KeepAlive = "ignored_keepalive",
    /// Ignored: a message without the headers needed to answer it.
    Unanswerable = "ignored_unanswerable",
    /// Ignored: an ACK that belongs to nothing.
    StrayAck = "ignored_stray_ack",
    /// Ignored: a response that belongs to nothing.
    StrayResponse = "ignored_stray_response",
    /// Ignored: a command that does not fit the state of its session (it may just have ended).
    LateCommand = "ignored_late_command",
    /// A TCP connection whose bytes could not be followed.
    Unframeable = "closed_unframeable",
    /// Refused with 400: not well-formed.
    BadRequest = "refused_bad_request",
    /// Refused with 403: not a recording session.
    NotRecording = "refused_not_recording",
    /// Refused with 405: a method that we do not have.
    UnknownMethod = "refused_unknown_method",
    /// Refused with 413: too large.
    TooLarge = "refused_too_large",
    /// Refused with 415: a body that we cannot read.
    UnknownBody = "refused_unknown_body",
    /// Refused with 416: not a SIP URI.
    UnknownScheme = "refused_unknown_scheme",
    /// Refused with 420: an extension that we do not have.
    UnknownExtension = "refused_unknown_extension",
    /// Refused with 422: a session timer that is too short.
    TimerTooShort = "refused_timer_too_short",
    /// Refused with 481, or 603 where it has just ended: no such dialog or transaction.
    NoSuchCall = "refused_no_such_call",
    /// Refused with 486: only a session that is not answered yet was to be replaced.
    AlreadyAnswered = "refused_already_answered",
    /// Refused with 482: the same request by another way.
    Merged = "refused_merged",
    /// Refused with 488: no stream that we can record.
    NoUsableStream = "refused_no_usable_stream",
    /// Refused with 488: SRTP keys that came by another way than TLS.
    KeysExposed = "refused_srtp_keys_without_tls",
    /// Refused with 488: no `a=crypto` that we can use.
    NoUsableKey = "refused_no_usable_srtp_key",
    /// Refused with 491: our own offer was under way.
    Glare = "refused_glare",
    /// Refused with 500: an older CSeq than the last.
    OutOfOrder = "refused_out_of_order",
    /// Refused with 500: the earlier offer is not answered yet.
    OfferPending = "refused_offer_pending",
    /// Refused with 503: told not to accept calls.
    NotAccepting = "refused_not_accepting",
    /// Refused with 503: as many sessions or transactions as we hold.
    Full = "refused_full",
    /// Answered with 503: an OPTIONS for an address to which no call would be recorded. No call was
    /// refused.
    NotReady = "options_not_ready",
    /// Refused with 505: another version of SIP.
    UnknownVersion = "refused_unknown_version",
    /// Refused because the caller said so.
    Rejected = "refused_by_command",
    /// Refused with 500: the caller gave no answer in time.
    Unanswered = "refused_unanswered",
}

/// The counts since the endpoint was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters([u64; Counted::ALL.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self([0; Counted::ALL.len()])
    }
}

impl Counters {
    pub(crate) fn count(&mut self, what: Counted) {
        for (counted, count) in Counted::ALL.iter().zip(&mut self.0) {
            if *counted == what {
                *count = count.saturating_add(1);
            }
        }
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, what: Counted) -> u64 {
        self.iter()
            .find(|(counted, _)| *counted == what)
            .map_or(0, |(_, count)| count)
    }

    /// Everything with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Counted, u64)> {
        Counted::ALL.iter().copied().zip(self.0.iter().copied())
    }
}
