//! What the index holds of documents: one by its id, all by pages, counts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Reader;
use super::document::TITLE;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, ChunkSet as _};
use crate::lexical::{ChunkRecord, FacetCount, FieldValue, Filter, fields_of};
use crate::place::Place;

/// Documents of a page at most.
const LARGEST_PAGE: usize = 10_000;

/// A document as the index holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoredDocument {
    /// The application's id of it, or its path below the folder that is indexed.
    pub id: String,
    /// The title that it was added with. Of a file, and of what retune 0.1 has added, the title of the first passage.
    pub title: String,
    /// What it can be filtered by.
    pub fields: BTreeMap<String, FieldValue>,
    /// The passages that its text was cut into, in order.
    pub passages: Vec<StoredPassage>,
}

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredPassage {
    /// Heading path, title or file name.
    pub title: String,
    /// The text.
    pub text: String,
    /// Byte offset of the passage in the document.
    pub start: u64,
    /// Byte offset behind the passage in the document.
    pub end: u64,
    /// Where the passage begins in the document, as far as it is known.
    #[serde(skip_serializing_if = "Place::is_unknown")]
    pub place: Place,
    /// Its chunk.
    #[serde(skip)]
    pub chunk: ChunkId,
}

/// Which documents [`Reader::list`] and `Cluster::list` give, and how many at a time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Listing {
    /// Only documents whose fields match. Default all.
    pub filter: Option<Filter>,
    /// Only documents with ids behind this one: [`DocumentPage::next`] of the page before. It need not exist any more.
    /// Default from the first one on.
    pub after: Option<String>,
    /// Documents of a page, 1 to 10,000. Default 100.
    pub limit: usize,
}

/// Some of the documents, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DocumentPage {
    /// The documents, each whole.
    pub documents: Vec<StoredDocument>,
    /// Where the next page begins: [`Listing::after`]. None on the last page.
    pub next: Option<String>,
}

impl Default for Listing {
    fn default() -> Listing {
        Listing { filter: None, after: None, limit: 100 }
    }
}

impl Listing {
    /// Sets [`filter`](Listing::filter).
    pub fn with_filter(mut self, filter: Filter) -> Listing {
        self.filter = Some(filter);
        self
    }

    /// Sets [`after`](Listing::after).
    pub fn with_after(mut self, id: impl Into<String>) -> Listing {
        self.after = Some(id.into());
        self
    }

    /// Sets [`limit`](Listing::limit).
    pub fn with_limit(mut self, limit: usize) -> Listing {
        self.limit = limit;
        self
    }

    /// The documents of a page, if there may be so many.
    pub(super) fn checked_limit(&self) -> Result<usize> {
        if (1..=LARGEST_PAGE).contains(&self.limit) {
            return Ok(self.limit);
        }
        let expected = format!("1 to {LARGEST_PAGE}");
        Err(Error::invalid("the limit of a page of documents", self.limit, expected))
    }
}

impl Reader {
    /// The document with this id, as the index holds it. `None` if there is none.
    pub fn get(&self, document: &str) -> Result<Option<StoredDocument>> {
        self.check_open("get a document")?;
        let chunks = self.inner.snapshot.load().lexical.chunks_of(document)?;
        Ok((!chunks.is_empty()).then(|| StoredDocument::of(document, chunks)))
    }

    /// How many documents match.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a filter that names a field which no document has: see [`Filter`].
    pub fn count(&self, filter: &Filter) -> Result<usize> {
        self.check_open("count documents")?;
        let lexical = &self.inner.snapshot.load().lexical;
        Ok(lexical.one_per_document(&lexical.matching(filter)?)?.len())
    }

    /// For each of these fields how many of the matching documents have each of its values, the most frequent first,
    /// 1,000 at most. A field that no document has gives none. See [`Query::facets`](crate::Query::facets) for those
    /// of what a query finds.
    ///
    /// # Errors
    /// As [`count`](Reader::count).
    pub fn facets<F: AsRef<str>>(
        &self,
        filter: &Filter,
        fields: &[F],
    ) -> Result<BTreeMap<String, Vec<FacetCount>>> {
        self.check_open("count values")?;
        let lexical = &self.inner.snapshot.load().lexical;
        let documents = lexical.one_per_document(&lexical.matching(filter)?)?;
        let count = |field: &str| Ok((field.to_string(), lexical.facet(field, &documents)?));
        fields.iter().map(|field| count(field.as_ref())).collect()
    }

    /// The names of all fields that documents have, dotted for nested ones, in order.
    pub fn fields(&self) -> Result<Vec<String>> {
        self.check_open("list the fields")?;
        Ok(self.inner.snapshot.load().lexical.field_names()?.into_iter().collect())
    }

    /// One page of the documents, in the order of their ids. What is added or removed between two pages makes no
    /// document come twice or be left out.
    ///
    /// ```
    /// use retune::documents::Listing;
    /// # use retune::{Document, Engine, Filter, Options};
    ///
    /// # fn main() -> retune::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let model = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reference/tiny-mpnet");
    /// # let engine = Engine::open(folder.path(), Options::default().with_model(model))?;
    /// # engine.add(vec![Document::new("a", "One.").with_field("language", "en")])?;
    /// let mut listing = Listing::default().with_filter(Filter::equals("language", "en")).with_limit(2);
    /// loop {
    ///     let page = engine.list(&listing)?;
    ///     page.documents.iter().for_each(|document| println!("{}: {:?}", document.id, document.fields));
    ///     let Some(next) = page.next else { break };
    ///     listing = listing.with_after(next);
    /// }
    /// # engine.close()
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit of 0 or above 10,000, else as [`count`](Reader::count).
    pub fn list(&self, listing: &Listing) -> Result<DocumentPage> {
        self.check_open("list documents")?;
        let limit = listing.checked_limit()?;
        let lexical = &self.inner.snapshot.load().lexical;
        let everything = Filter::everything();
        let chunks = lexical.matching(listing.filter.as_ref().unwrap_or(&everything))?;
        let documents = lexical.one_per_document(&chunks)?;
        // One more tells whether there is a next page.
        let mut ids = lexical.next_documents(&documents, listing.after.as_deref(), limit + 1)?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().filter(|_| more).cloned();
        let documents = ids.iter().map(|id| Ok(StoredDocument::of(id, lexical.chunks_of(id)?)));
        Ok(DocumentPage { documents: documents.collect::<Result<_>>()?, next })
    }
}

impl StoredDocument {
    /// `chunks` are all of the document's, in order.
    pub(super) fn of(id: &str, chunks: Vec<ChunkRecord>) -> StoredDocument {
        let first = chunks.first();
        let title = first.and_then(|chunk| chunk.metadata.get(TITLE)?.as_str()).map(str::to_string);
        StoredDocument {
            id: id.to_string(),
            title: title.or_else(|| first.map(|chunk| chunk.title.clone())).unwrap_or_default(),
            fields: first.map(|chunk| fields_of(&chunk.metadata)).unwrap_or_default(),
            passages: chunks
                .into_iter()
                .map(|ChunkRecord { title, body: text, start, end, place, chunk, .. }| StoredPassage {
                    title,
                    text,
                    start,
                    end,
                    place,
                    chunk,
                })
                .collect(),
        }
    }
}
