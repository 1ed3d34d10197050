//! The columns of other crates' types, each crate behind a feature.

#[cfg(feature = "chrono")]
mod dates {
    use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};

    use crate::read::types::{kept_as_text, parsed};

    // The text is what serde writes; it has no fixed length, and years below 0 and above 9999.
    kept_as_text! {
        NaiveDate { |date| Ok(format!("{date:?}")), parsed, Integer: |date| Ok(date.num_days_from_ce().into()) }
        NaiveTime { |time| Ok(format!("{time:?}")), parsed, Integer: |time| Ok(nanos(*time)) }
        NaiveDateTime { |time| Ok(format!("{time:?}")), parsed, Text: |time| Ok(sortable(*time)) }
        DateTime<Utc> { |time| Ok(format!("{time:?}")), parsed, Text: |time| Ok(sortable(time.naive_utc())) }
    }

    /// The time of day; in a leap second, more than a second of nanoseconds.
    fn nanos(time: NaiveTime) -> i64 {
        i64::from(time.num_seconds_from_midnight()) * 2_000_000_000 + i64::from(time.nanosecond())
    }
    fn sortable(time: NaiveDateTime) -> String {
        let days = i64::from(time.num_days_from_ce()) + 1_000_000_000;
        format!("{days:010}.{:015}", nanos(time.time()))
    }
}

#[cfg(feature = "rust_decimal")]
mod decimals {
    use rust_decimal::Decimal;

    use crate::read::index::plain_decimal;
    use crate::read::types::{below_zero, kept_as_text};

    kept_as_text! {
        Decimal {
            |number| Ok(number.to_string()),
            |text| Decimal::from_str_exact(text).map_err(|why| format!("`{text}`: {why}")),
            Text: |number| Ok(sortable(&number.to_string()))
        }
    }

    /// As many digits before the point as any has, so that the texts sort as the numbers do.
    fn sortable(number: &str) -> String {
        let number = plain_decimal(number);
        let (below, number) = number.strip_prefix('-').map_or((false, &*number), |number| (true, number));
        let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
        let digits = format!("{whole:0>29}{fraction}");
        if below { below_zero(&digits) } else { digits }
    }
}
