//! Lists the log without reading what its answers have shown, which is most of it.

use std::path::Path;

use super::record::{Decoded, Impression, Judgement, Record, heading};
use super::replay::{Order, Placed};
use super::segment::{self, Opened, Part};
use crate::error::Result;
use crate::ids::QueryId;

/// What a list of the log needs: all impressions and judgements, in the order of a [`Replay`](super::Replay).
#[derive(Debug, Default)]
pub(crate) struct Headings {
    pub(crate) all: Vec<Heading>,
    pub(crate) judgements: Vec<Judgement>,
    opened: Vec<Opened>,
}

/// An impression without its hits.
#[derive(Debug)]
pub(crate) struct Heading {
    pub(crate) query_id: QueryId,
    pub(crate) query: String,
    /// The segment that it stands in, and where.
    segment: usize,
    offset: usize,
}

impl Headings {
    pub(super) fn read(folder: &Path) -> Result<Headings> {
        let opened = segment::open_all(folder)?.opened;
        let (mut all, mut judgements) = (Placed::default(), Placed::default());
        for (segment, one) in opened.iter().enumerate() {
            let (mut asked, mut judged) = (Order::default(), Order::default());
            one.walk(&mut |part| {
                let Part::Frame { range, payload } = part else { return Ok(()) };
                if let Some(found) = heading(payload) {
                    let place = asked.place(found.time_ms);
                    let (query_id, query, offset) = (found.query_id, found.query, range.start);
                    all.add(place, Heading { query_id, query, segment, offset });
                } else if let Decoded::Known(Record::Judgement(found)) = Record::decode(payload) {
                    judgements.add(judged.place(found.time_ms), found);
                }
                Ok(())
            })?;
        }
        Ok(Headings { all: all.in_order(), judgements: judgements.in_order(), opened })
    }

    /// The whole impression; `None` if it is damaged.
    pub(crate) fn impression(&self, heading: &Heading) -> Option<Impression> {
        match Record::decode(self.opened.get(heading.segment)?.frame_at(heading.offset)?) {
            Decoded::Known(Record::Impression(impression)) => Some(impression),
            _ => None,
        }
    }
}
