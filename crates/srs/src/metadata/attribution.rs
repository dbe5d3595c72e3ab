//! Whose voice is in which `m=` line, and by which rule we know.

use super::{AttributionRule, Participant, StreamClaim, StreamVoices, Voice};
use crate::quirk::{Quirk, Quirks};
use voicelog_model::StreamNumber;

/// Connects each line with participants: by label, then by `send`, then by order.
pub(super) fn voices(
    lines: &[(StreamNumber, Option<String>)],
    streams: &[StreamClaim],
    participants: &[Participant],
    has_sends: bool,
    quirks: &mut Quirks,
) -> Vec<StreamVoices> {
    check_labels(lines, streams, quirks);
    let participants: Vec<_> = participants.iter().filter(|p| !p.has_left).collect();
    // Streams may be matched by place only if not one label tells otherwise.
    let no_label_fits = !lines
        .iter()
        .any(|(_, label)| label.is_some() && streams.iter().any(|stream| stream.label == *label));
    let by_place = no_label_fits && streams.len() == lines.len();
    let mut all = Vec::new();
    for (place, (number, label)) in lines.iter().enumerate() {
        let mut voices = Vec::new();
        if let Some(label) = label {
            let labelled = streams
                .iter()
                .filter(|stream| stream.label.as_ref() == Some(label))
                .map(|stream| stream.id.expose().as_str());
            // A label of two lines does not say which of them it means.
            let lines_labelled = lines
                .iter()
                .filter(|(_, other)| other.as_ref() == Some(label));
            let rule = match lines_labelled.count() {
                1 => AttributionRule::Label,
                _ => AttributionRule::Send,
            };
            voices = senders(labelled, &participants, rule);
            if voices.is_empty() {
                let itself = std::iter::once(label.as_str());
                voices = senders(itself, &participants, AttributionRule::Send);
            }
        }
        if voices.is_empty() && by_place {
            let placed = streams.get(place).map(|stream| stream.id.expose().as_str());
            voices = senders(placed.into_iter(), &participants, AttributionRule::Send);
        }
        if voices.is_empty() && !has_sends {
            voices = by_order(place, lines.len(), &participants);
        }
        match voices.len() {
            0 if !participants.is_empty() => quirks.add(Quirk::NoSender),
            0 | 1 => {}
            _ => quirks.add(Quirk::ManySenders),
        }
        all.push(StreamVoices {
            number: *number,
            voices,
        });
    }
    all
}

fn senders<'a>(
    ids: impl Iterator<Item = &'a str>,
    participants: &[&Participant],
    rule: AttributionRule,
) -> Vec<Voice> {
    let ids: Vec<_> = ids.filter(|id| !id.is_empty()).collect();
    participants
        .iter()
        .filter(|participant| {
            participant
                .sends
                .iter()
                .any(|send| ids.contains(&send.expose().as_str()))
        })
        .map(|participant| voice(participant, rule))
        .collect()
}

/// One line: everybody is in it. As many lines as people: one each. Otherwise nothing is known.
fn by_order(place: usize, lines: usize, participants: &[&Participant]) -> Vec<Voice> {
    let rule = AttributionRule::Order;
    if lines == 1 {
        return participants.iter().map(|p| voice(p, rule)).collect();
    }
    if lines != participants.len() {
        return Vec::new();
    }
    participants
        .get(place)
        .map(|participant| voice(participant, rule))
        .into_iter()
        .collect()
}

fn voice(participant: &Participant, rule: AttributionRule) -> Voice {
    Voice {
        party: participant.pseudonym.clone(),
        rule,
    }
}

fn check_labels(
    lines: &[(StreamNumber, Option<String>)],
    streams: &[StreamClaim],
    quirks: &mut Quirks,
) {
    let labels: Vec<_> = lines
        .iter()
        .filter_map(|(_, label)| label.as_ref())
        .collect();
    let claims: Vec<_> = streams.iter().filter_map(|s| s.label.as_ref()).collect();
    let repeats = |list: &[&String]| {
        list.iter()
            .enumerate()
            .any(|(at, label)| list.iter().take(at).any(|earlier| earlier == label))
    };
    if repeats(&labels) || repeats(&claims) {
        quirks.add(Quirk::DuplicateLabel);
    }
    if !streams.is_empty() && labels.iter().any(|label| !claims.contains(label)) {
        quirks.add(Quirk::UnknownLabel);
    }
    if claims.iter().any(|claim| !labels.contains(claim)) {
        quirks.add(Quirk::UnclaimedLabel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::Pii;

    fn lines(labels: &[&str]) -> Vec<(StreamNumber, Option<String>)> {
        labels
            .iter()
            .zip(1u16..)
            .map(|(label, n)| {
                (
                    StreamNumber(n),
                    Some((*label).to_owned()).filter(|l| !l.is_empty()),
                )
            })
            .collect()
    }

    fn claims(pairs: &[(&str, &str)]) -> Vec<StreamClaim> {
        pairs
            .iter()
            .map(|(id, label)| StreamClaim {
                id: Pii::new((*id).to_owned()),
                label: Some((*label).to_owned()),
                session: None,
            })
            .collect()
    }

    fn people(sends: &[&[&str]]) -> Vec<Participant> {
        sends
            .iter()
            .zip(1..)
            .map(|(sends, n)| Participant {
                pseudonym: format!("p{n}"),
                id: Pii::new(n.to_string()),
                addresses: Vec::new(),
                name: None,
                sends: sends.iter().map(|s| Pii::new((*s).to_owned())).collect(),
                is_caller: None,
                has_left: false,
            })
            .collect()
    }

    fn told(
        labels: &[&str],
        streams: &[(&str, &str)],
        sends: &[&[&str]],
    ) -> (Vec<Vec<(String, AttributionRule)>>, Vec<Quirk>) {
        let mut quirks = Quirks::default();
        let has_sends = sends.iter().any(|s| !s.is_empty());
        let found = voices(
            &lines(labels),
            &claims(streams),
            &people(sends),
            has_sends,
            &mut quirks,
        );
        let found = found
            .into_iter()
            .map(|s| s.voices.into_iter().map(|v| (v.party, v.rule)).collect())
            .collect();
        (found, quirks.into_vec())
    }

    fn one(party: &str, rule: AttributionRule) -> Vec<(String, AttributionRule)> {
        vec![(party.to_owned(), rule)]
    }

    #[test]
    fn labels_that_are_crossed_are_followed_and_not_the_order() {
        let (found, quirks) = told(
            &["2", "1"],
            &[("t1", "1"), ("t2", "2")],
            &[&["t1"], &["t2"]],
        );
        assert_eq!(
            found,
            [
                one("p2", AttributionRule::Label),
                one("p1", AttributionRule::Label)
            ]
        );
        assert_eq!(quirks, []);
    }

    #[test]
    fn labels_of_another_world_fall_back_to_send_by_place() {
        let (found, quirks) = told(
            &["a_leg", "b_leg"],
            &[("t1", "1"), ("t2", "2")],
            &[&["t2"], &["t1"]],
        );
        assert_eq!(
            found,
            [
                one("p2", AttributionRule::Send),
                one("p1", AttributionRule::Send)
            ]
        );
        assert_eq!(quirks, [Quirk::UnknownLabel, Quirk::UnclaimedLabel]);
    }

    #[test]
    fn a_send_that_names_the_label_is_taken() {
        let (found, _) = told(&["7", "8"], &[], &[&["8"], &["7"]]);
        assert_eq!(
            found,
            [
                one("p2", AttributionRule::Send),
                one("p1", AttributionRule::Send)
            ]
        );
    }

    #[test]
    fn without_any_send_the_order_is_a_guess() {
        let (found, _) = told(&["1", "2"], &[("t1", "1"), ("t2", "2")], &[&[], &[]]);
        assert_eq!(
            found,
            [
                one("p1", AttributionRule::Order),
                one("p2", AttributionRule::Order)
            ]
        );
        let (found, quirks) = told(&["1", "2", "3"], &[], &[&[], &[]]);
        assert_eq!(found, [vec![], vec![], vec![]]);
        assert_eq!(quirks, [Quirk::NoSender]);
    }

    #[test]
    fn one_line_with_two_senders_is_a_mix() {
        let (found, quirks) = told(&["1"], &[("t", "1")], &[&["t"], &["t"]]);
        assert_eq!(found[0].len(), 2);
        assert_eq!(quirks, [Quirk::ManySenders]);
    }

    #[test]
    fn a_hold_without_send_is_not_filled_with_a_guess() {
        let (found, quirks) = told(&["1", "2"], &[("t1", "1"), ("t2", "2")], &[&["t1"], &[]]);
        assert_eq!(found, [one("p1", AttributionRule::Label), vec![]]);
        assert_eq!(quirks, [Quirk::NoSender]);
    }
}
