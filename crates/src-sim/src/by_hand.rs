//! One call without a socket: whoever has it carries its messages to a server and back. For tests of a
//! server that has no socket either.

use crate::call::Call;
use crate::dialect::Dialect;
use crate::dialog::ToldBy;
use crate::message::Message;
use crate::metadata::Participant;
use crate::pace::{self, Anchor};
use crate::plan::{CallPlan, StreamPlan};
use crate::random::Names;
use crate::rtp::Payload;
use std::net::SocketAddr;
use std::time::Instant;

/// A call of which nothing is sent but by hand. Its time stands still: nothing is sent again and nothing
/// given up.
#[derive(Debug)]
pub struct CallByHand {
    call: Call,
    now: Instant,
}

impl CallByHand {
    /// Its INVITE waits in [`Self::outgoing`]. The same seed gives the same ids and tags. In a dialect with
    /// a stand-in, somebody stands in for the second participant.
    #[must_use]
    pub fn begin(
        dialect: Dialect,
        (local, server): (SocketAddr, SocketAddr),
        participants: &[Participant],
        seed: u64,
    ) -> Self {
        let labels = dialect.labels().iter();
        let plan = CallPlan {
            participants: participants.to_vec(),
            streams: labels
                .map(|label| StreamPlan::new(label, Payload::Seeded(seed)))
                .collect(),
            dialect,
            ..CallPlan::speech(server, "verkoop")
        };
        let ports: Vec<u16> = (20_000..).step_by(2).take(plan.streams.len()).collect();
        let (names, now) = (Names::from_seed(seed), pace::now());
        Self {
            call: Call::start(&plan, local, &ports, names, Anchor::take(), now),
            now,
        }
    }

    /// Its messages since the last look, oldest first.
    pub fn outgoing(&mut self) -> Vec<Vec<u8>> {
        self.call.dialog().take_outgoing()
    }

    /// Takes in a message of the server. False if it is none.
    pub fn receive(&mut self, bytes: &[u8]) -> bool {
        let message = Message::read(bytes);
        if let Some(message) = &message {
            self.call.receive(message, self.now);
        }
        message.is_some()
    }

    /// Tells the server who takes part now, with a request of this kind.
    pub fn tell(&mut self, participants: &[Participant], by: ToldBy) {
        let now = self.now;
        self.call.dialog().tell_participants(participants, by, now);
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        let now = self.now;
        self.call.dialog().hang_up(now);
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.call.is_over()
    }
}
