//! What several engines share: connections, and how they are kept.

mod breaker;
pub mod cassandra;
pub mod fjall;
mod fuse;
pub mod kafka;
pub mod place;
pub mod postgres;
pub mod rabbitmq;
pub mod redis;
pub mod sqlite;
pub mod tls;

pub use fuse::Fuse;

/// Counts a call to a server: what a message costs those that Klatch stands on.
fn called(server: &'static str) {
    metrics::counter!("klatch_calls_total", "server" => server).increment(1);
}

/// What calls cost, for tests.
#[cfg(test)]
pub mod calls {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    /// Counts every call of a thread to every server.
    #[derive(Default)]
    struct Count(Arc<AtomicU64>);

    impl Recorder for Count {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            if key.name() == "klatch_calls_total" { Counter::from_arc(self.0.clone()) } else { Counter::noop() }
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    /// What `future` gives, and how many calls to servers this thread made for it.
    pub async fn counted<T>(future: impl Future<Output = T>) -> (T, u64) {
        let count = Count::default();
        let _guard = metrics::set_default_local_recorder(&count);
        let given = future.await;
        (given, count.0.load(Ordering::Relaxed))
    }
}
