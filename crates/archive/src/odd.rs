//! What was odd about a call, in a sentence for people. The words are those of `srs`.

use voicelog_model::Language;

/// Word, Dutch, English.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "option_tag_missing",
        "de oproep noemt SIPREC niet als optie",
        "the call does not name SIPREC as an option",
    ),
    (
        "source_tag_missing",
        "de centrale zegt niet dat zij een opnameclient is (+sip.src)",
        "the exchange does not say that it is a recording client (+sip.src)",
    ),
    (
        "source_tag_bare",
        "de centrale schrijft src waar +sip.src moet staan",
        "the exchange writes src where +sip.src is meant",
    ),
    (
        "metadata_missing",
        "de oproep zegt niet wie er meedoen",
        "the call does not say who takes part",
    ),
    (
        "participants_in_header",
        "wie er meedoen stond in een kopregel van de fabrikant",
        "who takes part stood in a header of the vendor",
    ),
    (
        "header_left_out",
        "een kopregel was onleesbaar en is overgeslagen",
        "a header line could not be read and was left out",
    ),
    (
        "line_end_bare",
        "regels van het bericht eindigden anders dan SIP voorschrijft (LF zonder CR)",
        "lines of the message ended otherwise than SIP wants (LF without CR)",
    ),
    (
        "namespace_draft",
        "de gegevens zijn geschreven naar een ontwerp van voor de norm (RFC 7865)",
        "the metadata is written by a draft from before the standard (RFC 7865)",
    ),
    (
        "time_without_zone",
        "tijden in de gegevens noemen geen tijdzone; wij gebruiken onze eigen klok",
        "times in the metadata name no zone; we use our own clock",
    ),
    (
        "clock_not_set",
        "de klok van de centrale staat niet goed: tijden in de gegevens zijn van voor het jaar 2000; wij gebruiken onze eigen klok",
        "the clock of the exchange is not set: times in the metadata are from before the year 2000; we use our own clock",
    ),
    (
        "contact_unusable",
        "de centrale gaf geen bruikbaar adres (Contact); wij antwoorden naar waar de oproep vandaan kwam",
        "the exchange gave no address that can be used (Contact); we answer to where the call came from",
    ),
    (
        "option_tags_joined",
        "namen van opties waren aan elkaar geschreven",
        "names of options were written together",
    ),
    (
        "request_uri_repaired",
        "het gebelde adres was niet geschreven zoals het hoort",
        "the address that was called was not written as it should be",
    ),
    (
        "length_too_large",
        "het bericht zei dat het langer is dan het was",
        "the message said that it is longer than it was",
    ),
    (
        "offer_by_us",
        "de centrale deed geen aanbod van geluid; wij deden het",
        "the exchange made no offer of sound; we made it",
    ),
    (
        "body_type_missing",
        "een deel van het bericht zei niet wat het is; het leek op SDP",
        "a part of the message did not say what it is; it looked like SDP",
    ),
    (
        "boundary_missing",
        "de scheiding tussen de delen van het bericht stond er niet bij",
        "what separates the parts of the message was not told",
    ),
    (
        "boundary_wrong",
        "de scheiding tussen de delen van het bericht was een andere dan het bericht zei",
        "what separates the parts of the message was not what the message said",
    ),
    (
        "multipart_not_closed",
        "het bericht was niet afgesloten",
        "the message was not closed",
    ),
    (
        "part_limit",
        "het bericht had meer delen dan wij lezen",
        "the message had more parts than we read",
    ),
    (
        "part_ignored",
        "een deel van het bericht gebruiken wij niet",
        "a part of the message is one that we do not use",
    ),
    (
        "part_repeated",
        "een deel van het bericht stond er twee keer",
        "a part of the message stood there twice",
    ),
    (
        "part_encoded",
        "een deel van het bericht was gecodeerd (base64 of quoted-printable), wat SIP niet kent",
        "a part of the message was encoded (base64 or quoted-printable), which SIP does not have",
    ),
    (
        "sdp_repaired",
        "regels van de beschrijving van het geluid waren onleesbaar en zijn overgeslagen",
        "lines of the description of the sound could not be read and were left out",
    ),
    (
        "stream_limit",
        "het aanbod had meer stromen dan wij nemen; de laatste nemen wij niet op",
        "the offer had more streams than we take; the last ones are not recorded",
    ),
    (
        "media_line_missing",
        "een later aanbod had minder stromen dan een eerder",
        "a later offer had fewer streams than an earlier one",
    ),
    (
        "protected_stream_refused",
        "een stroom was versleuteld (SRTP) met sleutels die wij niet kunnen gebruiken, of die onversleuteld kwamen",
        "a stream was encrypted (SRTP) with keys that we cannot use, or that came in the clear",
    ),
    (
        "stream_refused",
        "een stroom met geluid is niet aangenomen: beveiligd met DTLS-SRTP, zonder eigen poort, of zonder te zeggen wat er komt",
        "a stream of sound was not taken: protected by DTLS-SRTP, without a port of its own, or without saying what comes",
    ),
    (
        "format_unnamed",
        "de centrale zegt niet hoe het geluid van een stroom is gecodeerd",
        "the exchange does not say how the sound of a stream is encoded",
    ),
    (
        "label_missing",
        "een stroom had geen label",
        "a stream had no label",
    ),
    (
        "duplicate_label",
        "twee stromen hadden hetzelfde label",
        "two streams had the same label",
    ),
    (
        "unknown_label",
        "een stroom had een label dat de gegevens niet kennen",
        "a stream had a label that the metadata does not know",
    ),
    (
        "unclaimed_label",
        "de gegevens noemen een label dat geen stroom heeft",
        "the metadata names a label that no stream has",
    ),
    (
        "many_senders",
        "volgens de gegevens spreken meer mensen in één stroom",
        "by the metadata several people speak in one stream",
    ),
    (
        "no_sender",
        "de gegevens zeggen niet wie er in een stroom spreekt",
        "the metadata does not say who speaks in a stream",
    ),
    (
        "metadata_too_large",
        "de gegevens waren groter dan wij lezen",
        "the metadata was larger than we read",
    ),
    (
        "metadata_too_complex",
        "de gegevens waren ingewikkelder dan wij lezen",
        "the metadata was more complex than we read",
    ),
    (
        "metadata_doctype",
        "de gegevens hadden een aanhef (DOCTYPE) die wij niet lezen",
        "the metadata had a preamble (DOCTYPE) that we do not read",
    ),
    (
        "metadata_repaired",
        "fouten in de XML van de gegevens zijn gerepareerd",
        "mistakes in the XML of the metadata were repaired",
    ),
    (
        "metadata_wrapped",
        "de gegevens stonden in een ander document",
        "the metadata stood inside another document",
    ),
    (
        "metadata_type_wrong",
        "de gegevens stonden er onder een verkeerde naam (soort)",
        "the metadata came under a wrong name (type)",
    ),
    (
        "metadata_unreadable",
        "de gegevens waren geen goede XML",
        "the metadata was no well-formed XML",
    ),
    (
        "metadata_not_utf8",
        "de gegevens waren geen UTF-8",
        "the metadata was not UTF-8",
    ),
    (
        "metadata_ampersand",
        "een los &-teken in de gegevens is gerepareerd",
        "a bare & in the metadata was repaired",
    ),
    (
        "metadata_trailing",
        "achter de gegevens stond nog iets",
        "something stood behind the end of the metadata",
    ),
    (
        "unknown_root",
        "de gegevens begonnen met een onbekend element",
        "the metadata began with an unknown element",
    ),
    (
        "unknown_namespace",
        "de gegevens noemen een versie die niet bestaat",
        "the metadata names a version that does not exist",
    ),
    (
        "unknown_data_mode",
        "de gegevens zeggen niet of ze volledig zijn",
        "the metadata does not say whether it is complete",
    ),
    (
        "partial_without_base",
        "een wijziging kwam zonder dat er een begin was",
        "an update came of something that was never told",
    ),
    (
        "unknown_participant",
        "de gegevens verwijzen naar een deelnemer die niet genoemd is",
        "the metadata refers to a participant who was not named",
    ),
    (
        "metadata_cut",
        "niet alles uit de gegevens is bewaard: het was te veel",
        "not everything in the metadata was kept: it was too much",
    ),
    (
        "participant_repeated",
        "een deelnemer stond twee keer in de gegevens",
        "a participant stood in the metadata twice",
    ),
    (
        "participant_replaced",
        "de centrale gaf iemand anders dezelfde naam als een eerdere deelnemer",
        "the exchange gave somebody else the id of an earlier participant",
    ),
    (
        "complete_not_whole",
        "gegevens die volledig heten, noemen geen deelnemers of geen sprekers; wat eerder verteld was blijft gelden",
        "metadata that is called complete names no participants or no speakers; what was told before stays",
    ),
    (
        "update_not_read",
        "een wijziging van de gegevens was niet te lezen; wie er meedoen is wat daarvoor verteld was",
        "an update of the metadata could not be read; who takes part is what was told before it",
    ),
    (
        "participants_unknown",
        "er kan iemand meedoen van wie wij niet weten",
        "somebody may take part whom we do not know of",
    ),
];

/// A thing that was odd, in a sentence. A word that is not known is given back as it is.
#[must_use]
pub fn odd(word: &str, lang: Language) -> String {
    TABLE
        .iter()
        .find(|(known, _, _)| *known == word)
        .map_or_else(
            || word.replace('_', " "),
            |(_, nl, en)| lang.pick(nl, en).to_owned(),
        )
}

/// Whether there is a sentence for it.
#[must_use]
pub fn is_known(word: &str) -> bool {
    TABLE.iter().any(|(known, _, _)| *known == word)
}
