//! A list of calls from a telephone system: call detail records as CSV (RFC 4180), with `,`, `;` or
//! tab between the columns, and the names of columns that telephone systems give them.

use jiff::civil;
use jiff::tz::TimeZone;
use std::io::Read;
use voicelog_archive::Number;
use voicelog_law::Bilingual;
use voicelog_model::{Language, Timestamp};

/// Most rows that are read: a busy call centre's month.
const ROWS_MAX: usize = 500_000;
/// Most bytes that are read.
const BYTES_MAX: u64 = 128 << 20;
/// Longest call that is believed, in microseconds: a day. Longer is a column that means something
/// else.
const LENGTH_MAX: i64 = 86_400 * 1_000_000;
/// The zone of times that name none.
const ZONE: &str = "Europe/Amsterdam";

/// What a column holds, with the names that it may have.
const COLUMNS: &[(Column, &[&str])] = &[
    (
        Column::Start,
        &[
            "answered_at",
            "answer",
            "answer_time",
            "started_at",
            "start",
            "start_time",
            "calldate",
        ],
    ),
    (Column::End, &["ended_at", "end", "end_time"]),
    (
        Column::Length,
        &["billsec", "talk_seconds", "duration", "seconds"],
    ),
    (
        Column::Caller,
        &["caller", "src", "from", "calling_number", "caller_number"],
    ),
    (
        Column::Callee,
        &["callee", "dst", "to", "called_number", "callee_number"],
    ),
    (Column::Id, &["id", "uniqueid", "call_id", "uuid"]),
    (Column::Line, &["line", "recording_line"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Start,
    End,
    Length,
    Caller,
    Callee,
    Id,
    Line,
}

/// A call that a telephone system says there was.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Line of the file, from 1: the names of the columns are line 1.
    pub line: u64,
    /// The telephone system's own name for it.
    pub id: Option<String>,
    /// When the talk began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Who called, and who was called.
    pub numbers: [Number; 2],
    /// The line whose name the recording client calls, where the list tells it.
    pub on_line: Option<String>,
}

/// A list as it was read.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Its calls, in the order of the file.
    pub calls: Vec<Expected>,
    /// Lines that say that nobody answered: a length of 0.
    pub unanswered: u64,
    /// Lines that can't be read, and what is wrong with each.
    pub unreadable: Vec<(u64, Wrong)>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is not a line of CSV with as many columns as the first.
    Shape,
    /// When it began is not a moment.
    Start,
    /// Neither its end nor its length is one.
    Length,
    /// It ends before it begins, or is longer than a day.
    Span,
    /// A number is missing.
    Number,
    /// It begins later than now.
    Future,
}

impl Wrong {
    /// For a person.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Shape => language.pick(
                "heeft niet evenveel kolommen als de eerste regel",
                "does not have as many columns as the first line",
            ),
            Self::Start => language.pick(
                "het begin is geen tijdstip zoals 2026-11-21 10:02:00",
                "the start is not a moment such as 2026-11-21 10:02:00",
            ),
            Self::Length => language.pick(
                "geen einde en geen duur in seconden of als 0:01:30",
                "no end, and no length in seconds or as 0:01:30",
            ),
            Self::Span => language.pick(
                "eindigt voor het begin, of duurt meer dan een dag",
                "ends before it begins, or lasts more than a day",
            ),
            Self::Number => language.pick("een nummer ontbreekt", "a number is missing"),
            Self::Future => language.pick(
                "begint in de toekomst: kijk naar de klok van de centrale, en of de tijden in een andere zone staan",
                "begins in the future: see the telephone system's clock, and whether the times are of another zone",
            ),
        }
    }
}

/// The list can't be read at all.
#[derive(Debug)]
pub enum TableError {
    /// A column is missing.
    Column {
        /// What it would hold.
        what: Bilingual,
        /// What it can be called.
        names: &'static [&'static str],
    },
    /// There is nothing in it.
    Empty,
    /// Too much.
    TooLong,
    /// Not text, or it can't be read.
    Read(csv::Error),
}

impl TableError {
    /// What is wrong and what would be right, for a person.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let pick = |nl: &str, en: &str| language.pick(nl, en).to_owned();
        match self {
            Self::Column { what, names } => {
                let (what, names) = (what.pick(language), names.join(", "));
                pick(
                    &format!(
                        "op de eerste regel staat geen kolom voor {what}; die mag heten {names}"
                    ),
                    &format!("the first line names no column for {what}; it can be called {names}"),
                )
            }
            Self::Empty => pick(
                "is leeg: er staat niet eens een regel met de namen van de kolommen in",
                "is empty: not even a line with the names of the columns is in it",
            ),
            Self::TooLong => {
                let mebibytes = BYTES_MAX >> 20;
                pick(
                    &format!(
                        "meer dan {ROWS_MAX} gesprekken of {mebibytes} MiB; knip de lijst in delen"
                    ),
                    &format!(
                        "more than {ROWS_MAX} calls or {mebibytes} MiB; cut the list into parts"
                    ),
                )
            }
            Self::Read(error) => pick(
                &format!("is niet te lezen als CSV: {error}"),
                &format!("cannot be read as CSV: {error}"),
            ),
        }
    }
}

impl Table {
    /// Reads a list. Lines that can't be read are told and cost the others nothing.
    pub fn read(mut source: impl Read) -> Result<Self, TableError> {
        let read = |error: std::io::Error| TableError::Read(error.into());
        let mut bytes = Vec::new();
        source
            .by_ref()
            .take(BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(read)?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err(TableError::TooLong);
        }
        // A mark that some programs put before UTF-8.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        if text.trim_ascii().is_empty() {
            return Err(TableError::Empty);
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text))
            .trim(csv::Trim::All)
            .from_reader(text);
        let columns = Columns::find(reader.byte_headers().map_err(TableError::Read)?)?;
        let mut table = Self::default();
        let mut lines = Lines {
            text,
            byte: 0,
            line: 1,
        };
        for (place, record) in reader.byte_records().enumerate() {
            if place == ROWS_MAX {
                return Err(TableError::TooLong);
            }
            let start = match &record {
                Ok(record) => record.position(),
                Err(error) => error.position(),
            };
            let line = lines.at(start.map_or(0, csv::Position::byte));
            match record {
                Err(_shape) => table.unreadable.push((line, Wrong::Shape)),
                Ok(record) => match columns.call(line, &record) {
                    Ok(Some(call)) => table.calls.push(call),
                    Ok(None) => table.unanswered += 1,
                    Err(wrong) => table.unreadable.push((line, wrong)),
                },
            }
        }
        Ok(table)
    }

    /// The same, with the calls that begin later than `now` among what can't be read.
    pub(super) fn without_future(mut self, now: Timestamp) -> Self {
        let is_future = |call: &Expected| call.from > now;
        let future = self.calls.iter().filter(|call| is_future(call));
        let future: Vec<_> = future.map(|call| (call.line, Wrong::Future)).collect();
        self.calls.retain(|call| !is_future(call));
        self.unreadable.extend(future);
        self.unreadable.sort_by_key(|(line, _)| *line);
        self
    }
}

/// Which line a byte is on. The reader's own count is one behind where lines end in CR LF.
struct Lines<'t> {
    text: &'t [u8],
    byte: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first byte from here on that ends no line. Only ever further on.
    fn at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = self.text.get(self.byte..).unwrap_or_default();
        for value in rest {
            if self.byte >= byte && !matches!(value, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*value == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

/// What separates the columns: whichever of the three the first line has most of.
fn delimiter(text: &[u8]) -> u8 {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| first.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| count(*delimiter))
        .unwrap_or(b',')
}

/// Where each column is.
struct Columns {
    /// Places of those that say when it began, the best first.
    starts: Vec<usize>,
    end: Option<usize>,
    length: Option<usize>,
    numbers: [usize; 2],
    id: Option<usize>,
    line: Option<usize>,
}

impl Columns {
    fn find(headers: &csv::ByteRecord) -> Result<Self, TableError> {
        let named = |name: &str| {
            headers
                .iter()
                .position(|header| header.eq_ignore_ascii_case(name.as_bytes()))
        };
        let names = |column: Column| {
            let found = COLUMNS.iter().find(|(known, _)| *known == column);
            found.map_or::<&'static [&'static str], _>(&[], |(_, names)| names)
        };
        let first = |column| names(column).iter().find_map(|name| named(name));
        let missing = |column, nl, en| TableError::Column {
            what: Bilingual { nl, en },
            names: names(column),
        };
        let starts: Vec<usize> = names(Column::Start)
            .iter()
            .filter_map(|name| named(name))
            .collect();
        let (end, length) = (first(Column::End), first(Column::Length));
        if starts.is_empty() {
            return Err(missing(Column::Start, "het begin", "the start"));
        }
        if end.is_none() && length.is_none() {
            return Err(missing(Column::Length, "de duur", "the length"));
        }
        let number = |column, nl, en| first(column).ok_or_else(|| missing(column, nl, en));
        Ok(Self {
            starts,
            end,
            length,
            numbers: [
                number(Column::Caller, "de beller", "the caller")?,
                number(Column::Callee, "de gebelde", "the callee")?,
            ],
            id: first(Column::Id),
            line: first(Column::Line),
        })
    }

    /// The call of a line; nothing where nobody answered.
    fn call(&self, line: u64, record: &csv::ByteRecord) -> Result<Option<Expected>, Wrong> {
        let field = |place: usize| {
            let bytes = record.get(place).filter(|bytes| !bytes.is_empty())?;
            std::str::from_utf8(bytes).ok()
        };
        let length = self.length.and_then(field).map(length);
        if length == Some(Some(0)) {
            return Ok(None);
        }
        let from = self.starts.iter().copied().find_map(field);
        let from = from.and_then(moment).ok_or(Wrong::Start)?;
        let end = self.end.and_then(field).and_then(moment);
        let length = length.flatten();
        // The length is of the talk; an end may be of something after it.
        let to = length
            .map(|length| from.plus_micros(length))
            .or(end)
            .ok_or(Wrong::Length)?;
        if !(1..=LENGTH_MAX).contains(&to.micros_since(from)) {
            return Err(Wrong::Span);
        }
        let number = |place| {
            let number = Number::of(field(place).unwrap_or_default());
            (!number.is_empty()).then_some(number).ok_or(Wrong::Number)
        };
        let [caller, callee] = self.numbers;
        Ok(Some(Expected {
            line,
            id: self.id.and_then(field).map(str::to_owned),
            from,
            to,
            numbers: [number(caller)?, number(callee)?],
            on_line: self.line.and_then(field).map(str::to_owned),
        }))
    }
}

/// A moment: with an offset as in RFC 3339, or else as the clocks in the Netherlands show it.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.replacen(' ', "T", 1).parse() {
        return Some(moment);
    }
    let local: civil::DateTime = text.parse().ok()?;
    let zoned = local.to_zoned(TimeZone::get(ZONE).ok()?).ok()?;
    Some(Timestamp::from_jiff(zoned.timestamp()))
}

/// A length in microseconds: seconds, or minutes and seconds, or hours, minutes and seconds.
fn length(text: &str) -> Option<i64> {
    let mut seconds = 0_i64;
    for part in text.split(':') {
        // A fraction of a second is cut off.
        let whole = part.split(['.', ',']).next()?;
        let number: i64 = whole.parse().ok().filter(|number| *number >= 0)?;
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    seconds.checked_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Table {
        Table::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn lists_of_telephone_systems_are_read_as_they_are() {
        for text in [
            "started_at,duration,caller,callee,id\n2026-11-21T10:02:00Z,90,0201234567,201,a\n",
            // A telephone system's own names; ringing is not talk.
            "calldate;uniqueid;src;dst;duration;billsec\r\n\
             2026-11-21 11:02:00;a;0201234567;201;99;90\r\n",
            "\u{feff}start\tanswer\tend_time\tfrom\tto\tuuid\n\
             2026-11-21 11:01:51\t2026-11-21 11:02:00\t2026-11-21 11:03:30\t0201234567\t201\ta\n",
            "START,Duration,Caller,Callee,Id\n\
             \"2026-11-21 11:02:00\", 0:01:30.4 ,\"020-123 45 67\",201,a\n",
        ] {
            let table = read(text);
            assert!(table.unreadable.is_empty(), "{text} {:?}", table.unreadable);
            let [call] = table.calls.as_slice() else {
                panic!("{text}");
            };
            assert_eq!(call.from, "2026-11-21T10:02:00Z".parse().unwrap(), "{text}");
            assert_eq!(call.to.micros_since(call.from), 90_000_000, "{text}");
            assert!(call.numbers[0].fits(&Number::of("+31201234567")), "{text}");
            assert_eq!((call.line, call.id.as_deref()), (2, Some("a")), "{text}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_and_costs_the_others_nothing() {
        let table = read(
            "started_at,duration,caller,callee\n\
             2026-11-21 10:00:00,10,1,2\n\
             yesterday,10,1,2\n\
             2026-11-21 10:00:00,long,1,2\n\
             2026-11-21 10:00:00,90000,1,2\n\
             2026-11-21 10:00:00,10,1,\n\
             2026-11-21 10:00:00,10,1\n\
             2026-11-21 10:00:00,0,1,2\n\
             2026-11-21 10:00:00,10,\"1\n1\",2\n",
        );
        assert_eq!(
            table.unreadable,
            [
                (3, Wrong::Start),
                (4, Wrong::Length),
                (5, Wrong::Span),
                (6, Wrong::Number),
                (7, Wrong::Shape),
            ]
        );
        let lines: Vec<_> = table.calls.iter().map(|call| call.line).collect();
        assert_eq!((lines, table.unanswered), (vec![2, 9], 1));
    }

    #[test]
    fn a_call_that_begins_in_the_future_is_told_as_a_mistake_of_its_line() {
        let table = read(
            "started_at,duration,caller,callee,line\n\
             2026-11-21T10:00:00Z,10,1,2,verkoop\n\
             2027-11-21T10:00:00Z,10,1,2,\n",
        );
        let table = table.without_future("2026-11-21T11:00:00Z".parse().unwrap());
        assert_eq!(table.unreadable, [(3, Wrong::Future)]);
        let lines: Vec<_> = table.calls.iter().map(|c| c.on_line.as_deref()).collect();
        assert_eq!(lines, [Some("verkoop")]);
    }

    #[test]
    fn a_list_without_a_column_says_which_and_what_it_can_be_called() {
        for (text, says) in [
            ("", "is empty"),
            ("\u{feff}\r\n", "is empty"),
            ("a,b\n", "the start"),
            ("started_at,caller,callee\n", "the length"),
            ("started_at,duration,callee\n", "the caller"),
            ("started_at,duration,caller\n", "dst"),
        ] {
            let error = Table::read(text.as_bytes())
                .unwrap_err()
                .in_language(Language::En);
            assert!(error.contains(says), "{error}");
        }
    }
}
