//! What every index promises about messages to other systems.

use super::at;
use crate::index::NewMessage;
use crate::{Index, StoreError};

fn message(number: u8, endpoint: &str) -> NewMessage {
    NewMessage {
        id: [number; 16],
        endpoint: endpoint.to_owned(),
        kind: "recording.finished".to_owned(),
        created_at: at(i64::from(number)),
        body: vec![number],
    }
}

pub(super) fn keeps_messages_until_they_are_delivered(index: &dyn Index) -> Result<(), StoreError> {
    let [one, two, three, other] = [(1, "a"), (2, "a"), (3, "a"), (4, "b")]
        .map(|(number, endpoint)| message(number, endpoint));
    let all = [one.clone(), two.clone(), three, other];
    assert_eq!(index.queue_messages(&all, 2)?, 1, "two for each endpoint");
    assert_eq!(index.due_messages("a", at(0), 9)?, []);
    let again = NewMessage {
        body: vec![99],
        ..one.clone()
    };
    assert_eq!(index.queue_messages(&[again], 2)?, 0, "it waits already");
    let due = index.due_messages("a", at(9), 9)?;
    assert_eq!(due.len(), 2);
    let first = due.first().map(|row| (&row.message, row.attempts));
    assert_eq!(first, Some((&one, 0)));
    assert_eq!(index.due_messages("a", at(9), 1)?.len(), 1);

    index.message_failed(&one.id, Some(at(20)), "refused")?;
    assert_eq!(index.due_messages("a", at(19), 9)?.len(), 1);
    let again = index.due_messages("a", at(20), 9)?;
    assert_eq!(again.len(), 2);
    let last = again.last().map(|row| (row.attempts, row.fault.as_deref()));
    assert_eq!(
        last,
        Some((1, Some("refused"))),
        "it goes to the end of the queue"
    );

    index.message_delivered(&two.id)?;
    index.message_failed(&one.id, None, "gone")?;
    assert_eq!(index.due_messages("a", at(999), 9)?, []);
    let counts = index.outbox()?;
    let counts: Vec<_> = counts
        .iter()
        .map(|count| (count.endpoint.as_str(), count.waiting, count.dead))
        .collect();
    assert_eq!(counts, [("a", 0, 1), ("b", 1, 0)]);
    assert_eq!(index.revive_messages(at(30))?, 1);
    let due = index.due_messages("a", at(30), 9)?;
    assert!(due.iter().all(|row| row.attempts == 0) && due.len() == 1);

    index.message_failed(&one.id, None, "gone")?;
    let late = NewMessage {
        created_at: at(40),
        ..one.clone()
    };
    assert_eq!(index.queue_messages(&[late], 1)?, 0);
    let due = index.due_messages("a", at(40), 9)?;
    let due: Vec<_> = due.iter().map(|row| (&row.message, row.attempts)).collect();
    assert_eq!(due, [(&one, 0)], "what is told again is tried again");
    index.message_failed(&one.id, None, "gone")?;
    let both = ["a".to_owned(), "b".to_owned()];
    index.forget_messages(at(1), &both)?;
    assert_eq!(index.outbox()?.len(), 2, "not yet");
    index.forget_messages(at(2), &both)?;
    assert_eq!(index.outbox()?.len(), 1);
    index.forget_messages(at(0), &both[..1])?;
    assert_eq!(index.outbox()?, []);
    Ok(())
}
