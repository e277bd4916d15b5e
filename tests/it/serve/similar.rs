//! What is like a document while not everything has its vector.

use std::ops::ControlFlow;

use retune::access::Own;
use retune::access::api::SimilarRequest;
use retune::{Coverage, Mode};

use crate::common::{documents, open};

fn like(own: &Own, document: &str) -> (Mode, Vec<String>) {
    let mut request = SimilarRequest::new(document);
    request.limit = 20;
    let answer = own.similar(&request).unwrap();
    (answer.mode, answer.hits.into_iter().map(|hit| hit.document).collect())
}

#[test]
fn documents_without_vectors_are_found_by_their_words_and_the_others_by_their_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let own = Own::new(engine.clone());
    let (mode, found) = like(&own, "kettle");
    assert_eq!((mode, found.len()), (Mode::Dense, 7));
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(
        files.join("tea.md"),
        "# Tea\n\nA kettle that is descaled with vinegar makes better tea.\n",
    )
    .unwrap();
    engine.read_words(&[files], &mut |_| ControlFlow::Continue(())).unwrap();
    let Coverage { encoded, chunks, .. } = engine.coverage();
    assert_eq!((encoded, chunks), (8, 9));
    let (mode, found) = like(&own, "kettle");
    assert_eq!((mode, found.len()), (Mode::Hybrid, 8), "{found:?}");
    assert!(found[..4].contains(&"tea.md".to_string()), "{found:?}");
    // From the other side: it has no vector of its own.
    let (_, found) = like(&own, "tea.md");
    assert!(found.len() == 8 && found[..4].contains(&"kettle".to_string()), "{found:?}");
    engine.encode_pending(&mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(like(&own, "tea.md").0, Mode::Dense);
    engine.close().unwrap();
}
