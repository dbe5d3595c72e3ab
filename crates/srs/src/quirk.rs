//! What a recording client did otherwise than the standard says.
//!
//! A quirk never stops a call. It is kept with the recording, so that somebody who doubts who
//! spoke can see what the doubt is about.

use serde::{Deserialize, Serialize};

macro_rules! quirks {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// One deviation from RFC 7865, RFC 7866 or what they build on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Quirk {
            $($(#[$doc])* $name,)*
        }

        impl Quirk {
            /// Every quirk, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its word in snake case, the same that serde writes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

quirks! {
    /// No `siprec` in `Require` or `Supported` (RFC 7866 §6.1.1).
    OptionTagMissing = "option_tag_missing",
    /// `Contact` without `+sip.src` (RFC 7866 §6.1.1).
    SourceTagMissing = "source_tag_missing",
    /// `Contact` says `src` where `+sip.src` is meant.
    SourceTagBare = "source_tag_bare",
    /// The INVITE carries no rs-metadata (RFC 7866 §9.1).
    MetadataMissing = "metadata_missing",
    /// No rs-metadata; headers of a vendor name the participants.
    ParticipantsInHeader = "participants_in_header",
    /// A header line that cannot be read was left out; none that we need.
    HeaderLeftOut = "header_left_out",
    /// Lines of the message end in LF alone (RFC 3261 §7 wants CR LF).
    LineEndBare = "line_end_bare",
    /// `Contact` is missing or no address of SIP; our requests go to where the INVITE came from.
    ContactUnusable = "contact_unusable",
    /// Option tags of `Require` or `Supported` without the comma between them.
    OptionTagsJoined = "option_tags_joined",
    /// The Request-URI had brackets or blanks, or was a telephone number.
    RequestUriRepaired = "request_uri_repaired",
    /// `Content-Length` is larger than the body, which is whole all the same.
    LengthTooLarge = "length_too_large",
    /// The INVITE had no SDP: we made the offer (RFC 3261 §13.2.1).
    OfferByUs = "offer_by_us",
    /// A body without `Content-Type`; it looked like SDP.
    BodyTypeMissing = "body_type_missing",
    /// The multipart boundary was not in `Content-Type`; it was read from the body.
    BoundaryMissing = "boundary_missing",
    /// No part begins with the multipart boundary of `Content-Type`; another was read from the body.
    BoundaryWrong = "boundary_wrong",
    /// The multipart body has no closing boundary.
    MultipartNotClosed = "multipart_not_closed",
    /// More or deeper parts than we read.
    PartLimit = "part_limit",
    /// A part of a type that we do not use.
    PartIgnored = "part_ignored",
    /// A second part of a type of which there can be one.
    PartRepeated = "part_repeated",
    /// A part in a transfer encoding that SIP does not have.
    PartEncoded = "part_encoded",
    /// Lines of the SDP had to be left out to read it.
    SdpRepaired = "sdp_repaired",
    /// More `m=` lines of sound than we take; the last ones are refused.
    StreamLimit = "stream_limit",
    /// A later offer has fewer `m=` lines than an earlier one (RFC 3264 §8).
    MediaLineMissing = "media_line_missing",
    /// A line is to be protected (SRTP) with keys that we cannot use, or that came in the clear.
    ProtectedStreamRefused = "protected_stream_refused",
    /// A line of sound was refused: it is protected in a way that we do not have (DTLS-SRTP), says nothing
    /// of what comes, or has no port of its own (RFC 9143).
    StreamRefused = "stream_refused",
    /// A payload type of which nothing says what it is; it is taken for sound.
    FormatUnnamed = "format_unnamed",
    /// An `m=` line without `a=label` (RFC 7866 §7.1.1).
    LabelMissing = "label_missing",
    /// Two `m=` lines or two streams of the metadata have the same label.
    DuplicateLabel = "duplicate_label",
    /// The label of an `m=` line is not in the metadata.
    UnknownLabel = "unknown_label",
    /// A label in the metadata has no `m=` line.
    UnclaimedLabel = "unclaimed_label",
    /// The metadata says of several participants that they send one stream: a mix.
    ManySenders = "many_senders",
    /// The metadata does not say who sends a stream.
    NoSender = "no_sender",
    /// The metadata is larger than we read.
    MetadataTooLarge = "metadata_too_large",
    /// The metadata is nested deeper, or has more attributes or nodes, than we read.
    MetadataTooComplex = "metadata_too_complex",
    /// The metadata has a document type declaration with entities or with more than a name.
    MetadataDoctype = "metadata_doctype",
    /// The metadata has prefixes that it does not bind, or an attribute twice; both were mended.
    MetadataRepaired = "metadata_repaired",
    /// The metadata is wrapped in another document.
    MetadataWrapped = "metadata_wrapped",
    /// The metadata is said to be of another type.
    MetadataTypeWrong = "metadata_type_wrong",
    /// The metadata is not well-formed XML.
    MetadataUnreadable = "metadata_unreadable",
    /// The metadata is not UTF-8.
    MetadataNotUtf8 = "metadata_not_utf8",
    /// A bare `&` in the metadata.
    MetadataAmpersand = "metadata_ampersand",
    /// Bytes behind the end of the metadata.
    MetadataTrailing = "metadata_trailing",
    /// The root element is not `recording`.
    UnknownRoot = "unknown_root",
    /// The namespace is none that any version of the standard had.
    UnknownNamespace = "unknown_namespace",
    /// The namespace is that of a draft before RFC 7865.
    NamespaceDraft = "namespace_draft",
    /// A moment in the metadata does not say its zone (RFC 7865 §6.12 wants RFC 3339).
    TimeWithoutZone = "time_without_zone",
    /// The metadata's moments are of a clock that was never set: before the year 2000.
    ClockNotSet = "clock_not_set",
    /// `datamode` is neither `complete` nor `partial`.
    UnknownDataMode = "unknown_data_mode",
    /// A partial update of something that was never told.
    PartialWithoutBase = "partial_without_base",
    /// An association names a participant that is not there.
    UnknownParticipant = "unknown_participant",
    /// More participants, streams or addresses than we keep, or longer ones.
    MetadataCut = "metadata_cut",
    /// Two elements of one document have the same `participant_id`.
    ParticipantRepeated = "participant_repeated",
    /// A `participant_id` now has addresses of which the one before it had none: somebody else.
    ParticipantReplaced = "participant_replaced",
    /// A document that calls itself complete names no participant, or no sender, although one was
    /// there before. What was told stays.
    CompleteNotWhole = "complete_not_whole",
    /// Somebody may take part whom we do not know of: the first document could not be read, or one
    /// named more participants or addresses than we keep, and no complete one has come since.
    ParticipantsUnknown = "participants_unknown",
    /// An update could not be read, and no complete document has come since. Who takes part is what
    /// was told before it.
    UpdateNotRead = "update_not_read",
}

/// A small set of quirks in the order first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quirks(Vec<Quirk>);

impl Quirks {
    pub(crate) fn add(&mut self, quirk: Quirk) {
        if !self.0.contains(&quirk) {
            self.0.push(quirk);
        }
    }

    pub(crate) fn extend(&mut self, others: &[Quirk]) {
        for quirk in others {
            self.add(*quirk);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Quirk> {
        self.0
    }

    pub(crate) fn as_slice(&self) -> &[Quirk] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_quirk_is_its_name_in_snake_case() {
        for quirk in Quirk::ALL {
            let mut snake = String::new();
            for c in format!("{quirk:?}").chars() {
                if c.is_ascii_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            assert_eq!(snake, quirk.as_str());
        }
    }
}
