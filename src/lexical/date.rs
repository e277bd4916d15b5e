//! Moments in time, as values of a field.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use time::format_description::well_known::Rfc3339;
use time::{Duration, Month, OffsetDateTime};

use crate::error::{Error, Result};

/// A moment in milliseconds: the date of a document. Written as in RFC 3339, in UTC: `2024-01-31T09:30:00Z`.
///
/// ```
/// use retune::documents::Date;
///
/// # fn main() -> retune::Result<()> {
/// let day: Date = "2024-01-31".parse()?;
/// assert_eq!(day.to_string(), "2024-01-31T00:00:00Z");
/// assert!(day < "2024-01-31T09:30:00+01:00".parse()?);
/// assert!(day < Date::from(std::time::SystemTime::now()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    unix_ms: i64,
}

impl Date {
    /// The moment so many milliseconds after the beginning of 1970 in UTC. Documents can have the years 0 to 9999.
    pub fn from_unix_ms(unix_ms: i64) -> Date {
        Date { unix_ms }
    }

    /// Milliseconds since the beginning of 1970 in UTC.
    pub fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// The first and the last moment that `text` names: a month, a day, or a moment twice. `None` if it names none.
    pub(super) fn span(text: &str) -> Option<(Date, Date)> {
        let text = text.as_bytes();
        let digits = |from: usize, to: usize| -> Option<u32> {
            let digits = text.get(from..to)?;
            let all = digits.iter().all(u8::is_ascii_digit);
            all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
        };
        let dash = |at: usize| text.get(at) == Some(&b'-');
        let (year, month) = (digits(0, 4)?, Month::try_from(u8::try_from(digits(5, 7)?).ok()?).ok()?);
        let begin = |month: Month, day: u32| {
            let date = time::Date::from_calendar_date(year as i32, month, u8::try_from(day).ok()?).ok()?;
            Some(date.midnight().assume_utc())
        };
        let until = |from: OffsetDateTime, length: Duration| {
            Some((
                Date::of(from),
                Date { unix_ms: Date::of(from).unix_ms + length.whole_milliseconds() as i64 - 1 },
            ))
        };
        match text.len() {
            _ if !dash(4) => None,
            7 => {
                let days = month.length(year as i32);
                until(begin(month, 1)?, Duration::days(days.into()))
            }
            10 if dash(7) => until(begin(month, digits(8, 10)?)?, Duration::days(1)),
            _ => {
                let moment = moment(std::str::from_utf8(text).ok()?)?;
                Some((moment, moment))
            }
        }
    }

    /// Whether it can be written with a year of four digits.
    pub(crate) fn is_writable(self) -> bool {
        self.in_utc().is_some()
    }

    /// Of the same length for all dates, and in their order.
    pub(super) fn key(self) -> String {
        self.written(true)
    }

    fn of(moment: OffsetDateTime) -> Date {
        Date { unix_ms: moment.unix_timestamp() * 1000 + i64::from(moment.millisecond()) }
    }

    fn in_utc(self) -> Option<OffsetDateTime> {
        let seconds = OffsetDateTime::from_unix_timestamp(self.unix_ms.div_euclid(1000)).ok()?;
        (0..=9999).contains(&seconds.year()).then_some(seconds)
    }

    fn written(self, milliseconds: bool) -> String {
        let Some(utc) = self.in_utc() else { return format!("{} ms from 1970", self.unix_ms) };
        let (year, month, day) = (utc.year(), u8::from(utc.month()), utc.day());
        let (hour, minute, second) = (utc.hour(), utc.minute(), utc.second());
        let whole = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        match self.unix_ms.rem_euclid(1000) {
            0 if !milliseconds => format!("{whole}Z"),
            ms => format!("{whole}.{ms:03}Z"),
        }
    }
}

/// A date with a time of day, in UTC unless it says otherwise.
fn moment(text: &str) -> Option<Date> {
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let text = text.replacen(' ', "T", 1);
    let moment = read(&text).or_else(|| read(&format!("{text}Z")))?;
    let date = Date::of(moment.to_offset(time::UtcOffset::UTC));
    date.is_writable().then_some(date)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(false))
    }
}

/// Reads `2024-01-31`, which is its first moment, and `2024-01-31T09:30:00` with or without an offset to UTC.
impl FromStr for Date {
    type Err = Error;

    fn from_str(text: &str) -> Result<Date> {
        Date::span(text).map(|(first, _)| first).ok_or_else(|| {
            Error::invalid("the date", format!("{text:?}"), "one like 2024-01-31 or 2024-01-31T09:30:00Z")
        })
    }
}

/// Rounded down to a millisecond.
impl From<SystemTime> for Date {
    fn from(time: SystemTime) -> Date {
        let unix_ms = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration().as_nanos().div_ceil(1_000_000);
                i64::try_from(before).map_or(i64::MIN, |ms| -ms)
            }
        };
        Date { unix_ms }
    }
}

impl From<Date> for SystemTime {
    fn from(date: Date) -> SystemTime {
        let length = std::time::Duration::from_millis(date.unix_ms.unsigned_abs());
        if date.unix_ms < 0 { UNIX_EPOCH - length } else { UNIX_EPOCH + length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        for (text, written) in [
            ("2024-01-31", "2024-01-31T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z"),
            ("2024-01-31T09:30:00+01:00", "2024-01-31T08:30:00Z"),
            ("2024-01-31 09:30:00", "2024-01-31T09:30:00Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0000-01-01", "0000-01-01T00:00:00Z"),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.to_string(), written);
            assert_eq!(written.parse::<Date>().unwrap(), date);
            assert_eq!(date.key().len(), 24);
        }
        for text in
            ["", "2024", "2024-13", "2024-02-30", "2024-1-1", "20240131", "2024-01-31T25:00:00Z", "+2024-01"]
        {
            assert!(text.parse::<Date>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_day_and_a_month_last_until_the_next() {
        let ms = |text: &str| text.parse::<Date>().unwrap().unix_ms();
        let (first, last) = Date::span("2024-02").unwrap();
        assert_eq!((first.unix_ms(), last.unix_ms() + 1), (ms("2024-02-01"), ms("2024-03-01")));
        let (first, last) = Date::span("2024-02-29").unwrap();
        assert_eq!((first.unix_ms(), last.unix_ms() + 1), (ms("2024-02-29"), ms("2024-03-01")));
    }

    #[test]
    fn system_times_are_rounded_down() {
        let before = UNIX_EPOCH - std::time::Duration::from_nanos(1);
        assert_eq!(Date::from(before), Date::from_unix_ms(-1));
        let after = UNIX_EPOCH + std::time::Duration::from_micros(1999);
        assert_eq!(Date::from(after), Date::from_unix_ms(1));
        assert_eq!(
            SystemTime::from(Date::from_unix_ms(-1500)),
            UNIX_EPOCH - std::time::Duration::from_millis(1500)
        );
        assert!(!Date::from_unix_ms(i64::MAX).is_writable());
    }
}
