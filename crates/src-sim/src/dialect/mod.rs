//! How products write a recording call: what they put into their headers, their SDP and their
//! metadata, each in its own way. Written anew from descriptions of what they do; the products'
//! own bytes are nowhere in here.

mod styles;

use crate::dialog::ToldBy;
use std::fmt;
use std::str::FromStr;

/// The product whose way of writing a call follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Dialect {
    /// As RFC 7865 and RFC 7866 have it.
    #[default]
    Plain,
    /// Oracle (Acme Packet): the draft's names, `send` inside the participant, large labels.
    Oracle,
    /// Cisco CUBE: a third part of another kind, associations that say nothing.
    Cube,
    /// Cisco network-based recording: no metadata; headers name the participants.
    Nbr,
    /// BroadWorks: the root of an early draft, one mixed stream, no option tag.
    Broadworks,
    /// Webex Calling: as BroadWorks, with two streams and the metadata before the SDP.
    Webex,
    /// Metaswitch: one stream that both participants send.
    Metaswitch,
    /// Avaya: a stream in the metadata that has no line in the SDP, and a stand-in until the real
    /// participant is told.
    Avaya,
    /// Ribbon (Sonus): prefixed elements, the streams crossed, a clock in 1970.
    Ribbon,
    /// AudioCodes: the draft's names, the number as id of the participant.
    Audiocodes,
    /// OpenSIPS: labels from 0, nobody said to send, a bare ampersand, no address in the SDP.
    Opensips,
    /// SEMS: labels that the metadata does not know, no closing boundary.
    Sems,
    /// NetSapiens: streams named by their label, an element of its own in the group.
    Netsapiens,
    /// PJSIP: as the standard has it, with the direction at the session's level.
    Pjsip,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 14] = [
        Self::Plain,
        Self::Oracle,
        Self::Cube,
        Self::Nbr,
        Self::Broadworks,
        Self::Webex,
        Self::Metaswitch,
        Self::Avaya,
        Self::Ribbon,
        Self::Audiocodes,
        Self::Opensips,
        Self::Sems,
        Self::Netsapiens,
        Self::Pjsip,
    ];

    /// Its word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Oracle => "oracle",
            Self::Cube => "cube",
            Self::Nbr => "nbr",
            Self::Broadworks => "broadworks",
            Self::Webex => "webex",
            Self::Metaswitch => "metaswitch",
            Self::Avaya => "avaya",
            Self::Ribbon => "ribbon",
            Self::Audiocodes => "audiocodes",
            Self::Opensips => "opensips",
            Self::Sems => "sems",
            Self::Netsapiens => "netsapiens",
            Self::Pjsip => "pjsip",
        }
    }

    /// The labels of the streams that it offers, in order.
    #[must_use]
    pub const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Oracle => &["16777227", "16777228"],
            Self::Broadworks => &["1"],
            Self::Metaswitch => &["9"],
            Self::Opensips => &["0", "1"],
            Self::Sems => &["a_leg", "b_leg"],
            _ => &["1", "2"],
        }
    }

    /// Whether its SDP says the labels; who does not say them gets none back.
    #[must_use]
    pub const fn says_labels(self) -> bool {
        !matches!(self, Self::Nbr)
    }

    /// Whether it tells only later who takes part: until then nobody knows what the law says, and a
    /// server that goes by it waits.
    #[must_use]
    pub const fn has_stand_in(self) -> bool {
        self.style().stand_in.is_some()
    }

    /// By which requests it can tell later who takes part. Where headers name the participants there is
    /// no metadata, and only a re-INVITE has those headers.
    #[must_use]
    pub const fn told_by(self) -> &'static [ToldBy] {
        if self.style().names_in_headers {
            &[ToldBy::Reinvite]
        } else {
            &[ToldBy::Reinvite, ToldBy::UpdateWithOffer, ToldBy::Update]
        }
    }

    pub(crate) const fn style(self) -> &'static Style {
        match self {
            Self::Plain => &styles::PLAIN,
            Self::Oracle => &styles::ORACLE,
            Self::Cube => &styles::CUBE,
            Self::Nbr => &styles::NBR,
            Self::Broadworks => &styles::BROADWORKS,
            Self::Webex => &styles::WEBEX,
            Self::Metaswitch => &styles::METASWITCH,
            Self::Avaya => &styles::AVAYA,
            Self::Ribbon => &styles::RIBBON,
            Self::Audiocodes => &styles::AUDIOCODES,
            Self::Opensips => &styles::OPENSIPS,
            Self::Sems => &styles::SEMS,
            Self::Netsapiens => &styles::NETSAPIENS,
            Self::Pjsip => &styles::PJSIP,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|d| d.as_str() == word);
        found.ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|d| d.as_str()).collect();
            format!("`{word}` is none of {}", known.join(", "))
        })
    }
}

/// One way of writing.
#[derive(Debug)]
pub(crate) struct Style {
    /// What follows the address in `Contact`.
    pub(crate) contact: &'static str,
    /// Headers of the INVITE besides those that every INVITE has.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// Whether a header each names the participants (and there is no metadata).
    pub(crate) names_in_headers: bool,
    /// Who stands for the second participant until an UPDATE, some seconds into the call.
    pub(crate) stand_in: Option<&'static str>,
    pub(crate) body: BodyStyle,
    pub(crate) sdp: SdpStyle,
    pub(crate) xml: XmlStyle,
}

/// How the parts of the body are put together.
#[derive(Debug)]
pub(crate) struct BodyStyle {
    /// The boundary; absent: another one for every call.
    pub(crate) boundary: Option<&'static str>,
    /// What stands before the first boundary.
    pub(crate) preamble: &'static str,
    pub(crate) metadata_first: bool,
    /// Header lines of the part with the SDP, and of the one with the metadata.
    pub(crate) sdp_headers: &'static str,
    pub(crate) metadata_headers: &'static str,
    /// A part of another kind between the two: header lines and content.
    pub(crate) third_part: &'static str,
    pub(crate) closes: bool,
}

impl BodyStyle {
    /// The headers of a message whose body is the metadata alone: those that its part has elsewhere.
    pub(crate) fn headers_of_bare_metadata(&self) -> Vec<(&'static str, &'static str)> {
        let lines = self.metadata_headers.lines();
        let headers = lines.filter_map(|line| line.split_once(':'));
        headers
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect()
    }
}

/// How the offer is written.
#[derive(Debug)]
pub(crate) struct SdpStyle {
    /// First word of the `o=` line.
    pub(crate) owner: &'static str,
    /// Whether it says where media comes from (`c=`).
    pub(crate) says_address: bool,
    pub(crate) says_labels: bool,
    pub(crate) direction: DirectionLine,
    /// Lines that stand under every `m=` line besides.
    pub(crate) extra: &'static str,
}

/// Where the direction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DirectionLine {
    /// Under every `m=` line.
    Media,
    /// Once, before the first `m=` line.
    Session,
    /// Nowhere unless it is other than to send: the default is both ways (RFC 4566 §6).
    Unsaid,
}

/// How the metadata is written.
#[derive(Debug)]
pub(crate) struct XmlStyle {
    pub(crate) prolog: &'static str,
    pub(crate) root: &'static str,
    /// Prefix of every element, with its colon.
    pub(crate) prefix: &'static str,
    /// Attributes of the root, the namespace among them.
    pub(crate) attributes: &'static str,
    pub(crate) data_mode: &'static str,
    /// Whether ids stand in `session_id` and so on (RFC 7865 §6), or in `id` and `session`.
    pub(crate) long_names: bool,
    /// Whether the address of a participant is an attribute of `nameID`, or an element `aor`.
    pub(crate) name_id: bool,
    pub(crate) ids: Ids,
    pub(crate) sends: Sends,
    pub(crate) times: Times,
    /// Elements inside `group`, inside every `stream`, and before the end.
    pub(crate) in_group: &'static str,
    pub(crate) in_stream: &'static str,
    pub(crate) at_end: &'static str,
    /// What follows the `@` where a number is written as a SIP address.
    pub(crate) numbers_at: Option<&'static str>,
}

/// How ids are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Base64 of a UUID (RFC 7865 §5).
    Base64,
    /// `urn:uuid:` and the UUID as text.
    Urn,
    /// As base64; a participant's is its number, a stream's its label.
    Telling,
}

/// How it is said who sends which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sends {
    /// In `participantstreamassoc` (RFC 7865 §6.10).
    Associations,
    /// So, but the first participant sends the second stream.
    Crossed,
    /// In `send` within the participant.
    Inside,
    /// In `id` within `send` within the participant.
    InsideId,
    /// There are associations, and nothing in them.
    Empty,
    /// Not at all: what the participants' labels say is for other streams.
    OtherLabels,
}

/// How moments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Rfc3339,
    /// To the second, without a zone.
    NoZone,
    /// To the second, with a zone without a colon.
    NoColon,
    /// A clock that was never set.
    NeverSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_known_by_its_word_and_no_other_word_is() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.as_str().parse(), Ok(dialect));
            assert!((1..=2).contains(&dialect.labels().len()));
            assert_eq!(dialect.says_labels(), dialect.style().sdp.says_labels);
        }
        let why = "siemens".parse::<Dialect>().unwrap_err();
        assert!(why.contains("opensips"), "{why}");
    }
}
