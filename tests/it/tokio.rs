//! From async code, as docs/embedding.md says.

use crate::common::{documents, open};
use retune::Query;

#[test]
fn many_tasks_search_one_engine_on_the_threads_for_blocking_work() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(async {
        let tasks: Vec<_> = ["descaled kettle", "green lamp", "frayed ropes"]
            .into_iter()
            .map(|text| {
                let engine = engine.clone();
                tokio::task::spawn_blocking(move || engine.search(&Query::new(text)))
            })
            .collect();
        let mut found = Vec::new();
        for task in tasks {
            found.push(task.await.unwrap().unwrap().hits[0].document.clone());
        }
        found
    });
    assert_eq!(found, ["kettle", "lamp", "rope"]);
    engine.close().unwrap();
}
